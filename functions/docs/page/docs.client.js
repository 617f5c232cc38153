// Puts the OpenAPI document of this origin on the page. Addresses are relative to /docs, so the page works below any prefix.

/** Of each path, the operations by method; other members of a path item (parameters, say) are none. */
const operationsOf = (openApi) =>
  Object.entries(openApi.paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([, operation]) => operation.operationId)
      .map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );

const keyOf = ({ operation }) =>
  (operation.parameters ?? []).find(({ in: where, name }) => where === 'header' && name === 'Idempotency-Key');

/**
 * On the page a key may be left empty, and its example is left out: an example is filled in by itself, and the second request of somebody
 * who tries things would be a replay of the first.
 */
function makeKeysOptional(openApi) {
  for (const each of operationsOf(openApi)) {
    const key = keyOf(each);
    if (!key) continue;
    const { example: _, examples: __, ...schema } = key.schema ?? {};
    delete key.example;
    delete key.examples;
    Object.assign(key, { required: false, schema });
    key.description = `${key.description ?? ''} Left empty here, every request gets a random one.`.trim();
  }
}

/** Gives a request that needs a key and has none a random one. */
function keyGiver(openApi) {
  const escaped = (text) => text.replace(/[.*+?^$()|[\]\\]/g, '\\$&');
  const keyed = operationsOf(openApi)
    .filter(keyOf)
    .map(({ path, method }) => ({ method, pattern: new RegExp(`${escaped(path).replace(/\{\w+\}/g, '[^/]+')}$`) }));
  return (request) => {
    const { pathname } = new URL(request.url, location.href);
    const needsKey = keyed.some(({ method, pattern }) => method === String(request.method).toUpperCase() && pattern.test(pathname));
    if (needsKey && !request.headers['Idempotency-Key']) request.headers['Idempotency-Key'] = crypto.randomUUID();
    return request;
  };
}

async function readJson(address, options) {
  const answer = await fetch(address, options);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail ?? `${address} answered ${answer.status}`);
  return body;
}

/** The embedded runtime gives tokens away; nobody else has this address, and then the form stays hidden. */
async function offerTokens(ui) {
  const found = await readJson('local/.well-known/openid-configuration').catch(() => undefined);
  if (!found?.token_endpoint) return;
  const form = document.getElementById('token-form');
  const outcome = document.getElementById('token-outcome');
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const { sub, scope } = Object.fromEntries(new FormData(form));
    try {
      const { access_token: token } = await readJson('local/token', { method: 'POST', body: JSON.stringify({ sub, scope }) });
      ui.preauthorizeApiKey('bearer', token);
      outcome.textContent = `Requests go out as ${sub} with ${scope}, for an hour.`;
    } catch (error) {
      outcome.textContent = `No token: ${error.message}`;
    }
  });
  form.hidden = false;
}

async function show() {
  const openApi = await readJson('v1/openapi.json');
  makeKeysOptional(openApi);
  const ui = SwaggerUIBundle({
    spec: openApi,
    dom_id: '#docs',
    deepLinking: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    // The online validator is another host.
    validatorUrl: null,
    requestInterceptor: keyGiver(openApi),
    onComplete: () => offerTokens(ui),
  });
}

show().catch((error) => {
  document.querySelector('#docs').textContent = `The document can't be shown: ${error.message}`;
});

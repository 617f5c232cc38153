import { type ProblemCode, problemStatus } from '../../functions/shared/problems.ts';
import type { Document, Operation } from './document.ts';
import { faultOf } from './json-schema.ts';
import { type Draft, reasonToRefuse } from './reasons.ts';
import type { WireAnswer } from './wire.ts';

/** What is wrong with an answer: in few words, always the same for the same fault, and the particulars. */
export interface Fault {
  readonly kind: string;
  readonly detail: string;
}

/** Of an answer that may be told again: whether it was a refusal for now alone. */
export const isForNow = ({ status }: WireAnswer): boolean => status === 503 || status === 429;

const leaks =
  /\bat .+\.[cm]?[jt]s:\d+|node_modules|ioredis|ECONN|\bReplyError|BAD_CALL|BROKEN|ValidationException|undefined is not|Cannot read prop/;
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
const kebab = (code: string) => code.toLowerCase().replaceAll('_', '-');
const shown = (text: string) => text.slice(0, 400);

function refusalFault(answer: WireAnswer, draft: Draft, document: Document): Fault | undefined {
  const { status, headers, text } = answer;
  const fault = (kind: string, detail = shown(text)): Fault => ({ kind, detail });
  if (draft.wire.method === 'HEAD') return undefined;
  if (!(headers['content-type'] ?? '').startsWith('application/problem+json')) return fault(`${status} is no problem document`);
  const problem = parsed(text);
  const misfit = faultOf(document.problem, problem, document.resolve, 'problem');
  if (misfit !== undefined) return fault('a problem is not as its schema says', `${misfit}: ${shown(text)}`);
  const { code, type, retryable, instance } = problem as { code: ProblemCode; type: string; retryable: boolean; instance: string };
  const isOwnStatus = problemStatus[code] === status || (draft.isOdd === true && (status === 408 || status === 431));
  if (!isOwnStatus) return fault(`${code} is answered with ${status}`);
  const isItself = type === `/problems/${kebab(code)}` && (draft.isOdd === true || instance.startsWith('/'));
  if (!isItself) return fault('a problem names itself wrongly');
  const isRetryable = ['REQUEST_IN_FLIGHT', 'SALE_PAUSED', 'RATE_LIMITED', 'STOCK_NOT_READY', 'TRY_AGAIN'].includes(code);
  if (retryable !== isRetryable) return fault(`${code} says retryable: ${retryable}`);
  if ((status === 429 || status === 503) && headers['retry-after'] === undefined) return fault(`${status} lacks Retry-After`);
  if (status === 401 && headers['www-authenticate'] === undefined) return fault('401 lacks WWW-Authenticate');
  if (status === 405 && headers.allow === undefined) return fault('405 lacks Allow');
  const { operation } = draft;
  if (operation && !(operation.refusals[status] ?? []).includes(code)) return fault(`the document does not have ${status} ${code} here`);
  return undefined;
}

function successFault(answer: WireAnswer, operation: Operation, document: Document): Fault | undefined {
  const { status, headers, text } = answer;
  if (status !== operation.status) return { kind: `the document has no ${status} here`, detail: shown(text) };
  if (!operation.answer) return text === '' ? undefined : { kind: 'an answer without a body has one', detail: shown(text) };
  const { mediaType, schema } = operation.answer;
  if (!(headers['content-type'] ?? '').startsWith(mediaType))
    return { kind: `the answer is no ${mediaType}`, detail: String(headers['content-type']) };
  if (mediaType !== 'application/json') return undefined;
  const body = parsed(text);
  const misfit = faultOf(schema, body, document.resolve, 'answer');
  if (misfit !== undefined) return { kind: 'an answer is not as its schema says', detail: `${misfit}: ${shown(text)}` };
  return innerFault(body);
}

/** Refusals within an answer: of a GraphQL field, or of an item of an import. */
function innerFault(body: unknown): Fault | undefined {
  const { errors = [], items = [] } = body as { errors?: { extensions: InnerProblem }[]; items?: { problem?: InnerProblem }[] };
  const inner = [
    ...(Array.isArray(errors) ? errors.map(({ extensions }) => extensions) : []),
    ...(Array.isArray(items) ? items.map((item) => item?.problem) : []),
  ];
  for (const problem of inner) {
    if (!problem) continue;
    if (!Object.hasOwn(problemStatus, problem.code))
      return { kind: `a refusal within has the code ${problem.code}`, detail: JSON.stringify(problem) };
    if (problem.status >= 500) return { kind: `a refusal within is ${problem.status} ${problem.code}`, detail: JSON.stringify(problem) };
  }
  return undefined;
}
interface InnerProblem {
  readonly code: string;
  readonly status: number;
}

/** What is wrong with this answer to this request, by the document and the contract; undefined when nothing is. */
export function judge(answer: WireAnswer, draft: Draft, document: Document): Fault | undefined {
  const { status, headers, text } = answer;
  const { operation } = draft;
  if (!Number.isInteger(status) || status < 200 || status > 599) return { kind: 'no HTTP answer', detail: shown(text) };
  if (headers['x-request-id'] === undefined) return { kind: 'an answer lacks X-Request-Id', detail: shown(text) };
  if (operation?.answer?.mediaType !== 'text/html' && leaks.test(text) && !text.includes('"openapi"') && status >= 400)
    return { kind: 'something internal gets out', detail: shown(text) };
  if (status >= 500) {
    const told = refusalFault(answer, draft, document);
    return { kind: `${status} ${told?.kind ?? (parsed(text) as { code?: string })?.code ?? ''}`.trim(), detail: shown(text) };
  }
  if (status >= 400) return refusalFault(answer, draft, document);
  if (!operation) return undefined;
  const reason = reasonToRefuse(draft, document.resolve);
  if (reason !== undefined && status < 300) {
    // Which place of a body it was is a particular.
    return { kind: `${operation.operationId} takes what it has to refuse`, detail: `${reason}: ${shown(text)}` };
  }
  return status < 300 ? successFault(answer, operation, document) : undefined;
}

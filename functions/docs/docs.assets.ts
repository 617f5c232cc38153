import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import license from 'swagger-ui-dist/LICENSE' with { type: 'text' };
import notice from 'swagger-ui-dist/NOTICE' with { type: 'text' };
import swaggerStyle from 'swagger-ui-dist/swagger-ui.css' with { type: 'text' };
import swaggerScript from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'text' };
import bundledLicenses from 'swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt' with { type: 'text' };
import { once } from '../shared/once.ts';
import script from './page/docs.client.js' with { type: 'text' };
import style from './page/docs.css' with { type: 'text' };
import template from './page/docs.html' with { type: 'text' };

export interface Asset {
  /** Its name in the page's address, with a hash of the text: another text has another name. */
  readonly name: string;
  readonly contentType: string;
  readonly text: string;
  /** The text, compressed when it is asked for first. */
  readonly gzipped: () => Promise<Buffer>;
}

const mediaTypes = { js: 'text/javascript', css: 'text/css', txt: 'text/plain' } as const;
const compress = promisify(gzip);

/** What follows would send browsers' tools after a file that is not served. */
const withoutSourceMap = (text: string) => text.replace(/(\/\/|\/\*)# sourceMappingURL=\S+\s*$/, '');

function asset(stem: string, kind: keyof typeof mediaTypes, text: string): Asset {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return {
    name: `${stem}.${hash}.${kind}`,
    contentType: `${mediaTypes[kind]}; charset=utf-8`,
    text,
    gzipped: once(() => compress(text)),
  };
}

const parts = {
  swaggerStyle: asset('swagger-ui', 'css', withoutSourceMap(swaggerStyle)),
  swaggerScript: asset('swagger-ui', 'js', withoutSourceMap(swaggerScript)),
  style: asset('docs', 'css', style),
  script: asset('docs', 'js', script),
  licenses: asset('licenses', 'txt', [notice, license, bundledLicenses].join('\n\n')),
} as const;

const byName = new Map(Object.values(parts).map((each) => [each.name, each]));

export const assetNamed = (name: string): Asset | undefined => byName.get(name);

/** The page, with the assets' names filled in where the template has `{{…}}`. Throws for a name that no asset has. */
export const page = template.replace(/\{\{(\w+)\}\}/g, (_, part: string) => {
  if (!Object.hasOwn(parts, part)) throw new Error(`the page names ${part}, which is no asset`);
  return parts[part as keyof typeof parts].name;
});

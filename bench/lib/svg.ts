// Just enough of SVG to draw axes, bars and lines.

type Attributes = Readonly<Record<string, string | number>>;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const rounded = (value: string | number): string => (typeof value === 'number' ? String(Math.round(value * 10) / 10) : escaped(value));

const element = (name: string, attributes: Attributes, content?: string): string => {
  const words = Object.entries(attributes).map(([key, value]) => `${key}="${rounded(value)}"`);
  return content === undefined ? `<${name} ${words.join(' ')}/>` : `<${name} ${words.join(' ')}>${content}</${name}>`;
};

export const rect = (x: number, y: number, width: number, height: number, attributes: Attributes): string =>
  element('rect', { x, y, width, height, ...attributes });

export const line = (x1: number, y1: number, x2: number, y2: number, attributes: Attributes): string =>
  element('line', { x1, y1, x2, y2, ...attributes });

export const polyline = (points: readonly (readonly [x: number, y: number])[], attributes: Attributes): string =>
  element('polyline', { points: points.map(([x, y]) => `${rounded(x)},${rounded(y)}`).join(' '), fill: 'none', ...attributes });

export const circle = (cx: number, cy: number, r: number, attributes: Attributes): string =>
  element('circle', { cx, cy, r, ...attributes });

export const text = (x: number, y: number, content: string, attributes: Attributes = {}): string =>
  element('text', { x, y, ...attributes }, escaped(content));

export const document = (width: number, height: number, title: string, pieces: readonly string[]): string =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${Math.ceil(height)}" width="${width}" height="${Math.ceil(height)}" ` +
      'font-family="system-ui, sans-serif" font-size="13" fill="#1f2328" role="img">',
    `<title>${escaped(title)}</title>`,
    ...pieces,
    '</svg>\n',
  ].join('\n');

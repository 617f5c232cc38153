import type { Report } from './report.ts';
import { figure } from './report.ts';
import { decadeText, type LogScale, logScale } from './scale.ts';
import type { BarPanel, LinePanel, Panel } from './section.ts';
import * as svg from './svg.ts';

const width = 960;
const margin = 24;
const labelWidth = 330;
/** Beside the longest bar: its value and what is wrong with it. */
const remarkWidth = 250;
const barHeight = 16;
const rowHeight = 24;
const titleHeight = 46;
const axisHeight = 26;
const lineChartHeight = 240;
const legendWidth = 200;

const colours = { ours: '#0969da', other: '#8c959f', grid: '#d8dee4', whisker: '#1f2328', wrong: '#cf222e', quiet: '#59636e' };
const lineColours = ['#0969da', '#cf222e', '#1a7f37', '#9a6700', '#8250df', '#59636e'];

interface Drawn {
  readonly height: number;
  readonly pieces: readonly string[];
}

/** All panels of a run, one below the other, every scale logarithmic. */
export function picture(report: Report): string {
  const { machine, seed, rounds, quick } = report;
  const caption =
    `Medians of ${rounds} interleaved rounds, whiskers min to max; ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, seed ${seed}` +
    (quick ? ' (quick: these figures mean nothing)' : '');
  let y = margin + 30;
  const pieces = [
    svg.text(margin, margin + 4, 'Stampede beside what it replaces', { 'font-size': 20, 'font-weight': 600 }),
    svg.text(margin, margin + 24, caption, { fill: colours.quiet, 'font-size': 11 }),
  ];
  for (const panel of report.sections.flatMap(({ panels = [] }) => panels)) {
    const drawn = draw(panel, y);
    pieces.push(...drawn.pieces);
    y += drawn.height;
  }
  const height = y + margin / 2;
  return svg.document(width, height, 'Stampede beside what it replaces', [svg.rect(0, 0, width, height, { fill: '#ffffff' }), ...pieces]);
}

function draw(panel: Panel, top: number): Drawn {
  const values =
    panel.kind === 'bars' ? panel.bars.map(({ value }) => value) : panel.series.flatMap(({ points }) => points.map(({ y }) => y));
  if (!values.some((value) => value > 0)) return { height: 0, pieces: [] };
  return panel.kind === 'bars' ? bars(panel, top) : lines(panel, top);
}

const heading = (top: number, title: string, words: string): string[] => [
  svg.text(margin, top + 24, title, { 'font-weight': 600, 'font-size': 15 }),
  svg.text(width - margin, top + 24, words, { 'text-anchor': 'end', fill: colours.quiet, 'font-size': 12 }),
];

function grid(scale: LogScale, top: number, bottom: number): string[] {
  return scale.decades.flatMap((decade) => [
    svg.line(scale.at(decade), top, scale.at(decade), bottom, { stroke: colours.grid }),
    svg.text(scale.at(decade), bottom + 14, decadeText(decade), { 'text-anchor': 'middle', fill: colours.quiet, 'font-size': 11 }),
  ]);
}

function bars({ title, unit, better, bars: all }: BarPanel, top: number): Drawn {
  const left = margin + labelWidth;
  const bottom = top + titleHeight + all.length * rowHeight;
  const scale = logScale(
    all.flatMap(({ value, spread }) => [value, spread?.min ?? value, spread?.max ?? value]),
    left,
    width - margin - remarkWidth,
  );
  const drawn = all.flatMap(({ label, value, spread, ours, remark }, index) => {
    const y = top + titleHeight + index * rowHeight;
    const middle = y + barHeight / 2;
    const name = svg.text(left - 10, middle + 4.5, label, { 'text-anchor': 'end', 'font-weight': ours ? 600 : 400 });
    if (!(value > 0)) return [name];
    const end = scale.at(value);
    const isSpread = spread !== undefined && spread.min > 0 && spread.max > spread.min;
    const textAt = Math.max(end, isSpread ? scale.at(spread.max) : end) + 8;
    const words = figure(value);
    return [
      name,
      svg.rect(left, y, end - left, barHeight, { fill: ours ? colours.ours : colours.other, rx: 2 }),
      ...(isSpread ? [svg.line(scale.at(spread.min), middle, scale.at(spread.max), middle, { stroke: colours.whisker })] : []),
      svg.text(textAt, middle + 4.5, words, { 'font-weight': ours ? 600 : 400 }),
      ...(remark ? [svg.text(textAt + 8 + words.length * 7.5, middle + 4.5, remark, { fill: colours.wrong, 'font-size': 12 })] : []),
    ];
  });
  const pieces = [
    ...heading(top, title, `${unit}, ${better === 'higher' ? 'longer' : 'shorter'} is better`),
    ...grid(scale, top + 36, bottom),
    ...drawn,
  ];
  return { height: titleHeight + all.length * rowHeight + axisHeight, pieces };
}

function lines({ title, xLabel, unit, series }: LinePanel, top: number): Drawn {
  const points = series.flatMap(({ points: of }) => of).filter(({ x, y }) => x > 0 && y > 0);
  const [left, right] = [margin + 60, width - margin - legendWidth];
  const [from, bottom] = [top + titleHeight, top + titleHeight + lineChartHeight];
  const across = logScale(
    points.map(({ x }) => x),
    left,
    right,
  );
  const up = logScale(
    points.map(({ y }) => y),
    bottom,
    from,
  );
  const levels = up.decades.flatMap((decade) => [
    svg.line(left, up.at(decade), right, up.at(decade), { stroke: colours.grid }),
    svg.text(left - 8, up.at(decade) + 4, decadeText(decade), { 'text-anchor': 'end', fill: colours.quiet, 'font-size': 11 }),
  ]);
  const drawn = series.flatMap(({ label, points: all }, index) => {
    const colour = lineColours[index % lineColours.length] ?? colours.ours;
    const places = all.filter(({ x, y }) => x > 0 && y > 0).map(({ x, y }) => [across.at(x), up.at(y)] as const);
    const legendY = from + 10 + index * 20;
    return [
      svg.polyline(places, { stroke: colour, 'stroke-width': 2 }),
      ...places.map(([x, y]) => svg.circle(x, y, 3, { fill: colour })),
      svg.line(right + 16, legendY - 4, right + 36, legendY - 4, { stroke: colour, 'stroke-width': 2 }),
      svg.text(right + 42, legendY, label, { 'font-size': 12 }),
    ];
  });
  const pieces = [...heading(top, title, `${unit}, by ${xLabel}`), ...grid(across, from, bottom), ...levels, ...drawn];
  return { height: titleHeight + lineChartHeight + axisHeight + 6, pieces };
}

import { describe, expect, it } from 'vitest';
import { Line, Paragraphs } from '../../../functions/shared/text.ts';

describe('free text', () => {
  it.each(['\ud800', 'a\udc00b', '\u0000', 'bell\u0007', '\u001b[31mred', 'next\u0085line', '\u007f'])('never takes %j', (text) => {
    const inside = `before ${text} after`;
    expect(Line(100).safeParse(inside).success).toBe(false);
    expect(Paragraphs(100).safeParse(inside).success).toBe(false);
  });

  it.each(['A tee', 'Žluťoučký kůň', '限定版', '👩‍🚀 patch', 'نسخة'])('takes %j as it is', (text) => {
    expect(Line(100).parse(text)).toBe(text);
    expect(Paragraphs(100).parse(text)).toBe(text);
  });

  it('of one line has no line break and no blank around it; of several it may have them', () => {
    expect(Line(100).safeParse('one\ntwo').success).toBe(false);
    expect(Line(100).parse(' one \n')).toBe('one');
    expect(Line(100).safeParse(' \t ').success).toBe(false);
    expect(Paragraphs(100).parse('one\r\n\ttwo\n')).toBe('one\r\n\ttwo\n');
  });

  it('is bounded by its length', () => {
    expect(Line(3).safeParse('four').success).toBe(false);
    expect(Paragraphs(3).safeParse('four').success).toBe(false);
  });
});

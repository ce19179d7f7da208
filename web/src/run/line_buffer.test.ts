import { describe, expect, it } from 'vitest';
import { LineBuffer } from './line_buffer';

const encode = (text: string) => new TextEncoder().encode(text);
const lines = (buffer: LineBuffer) => Array.from({ length: buffer.length }, (_, i) => buffer.line(i));

describe('LineBuffer', () => {
  const text = 'eins\nzwei\r\n\nfünf ✓\nlast';
  it('gives the same lines however the bytes are cut', () => {
    const bytes = encode(text);
    for (let a = 0; a <= bytes.length; ++a) {
      for (let b = a; b <= bytes.length; ++b) {
        const buffer = new LineBuffer();
        for (const piece of [bytes.slice(0, a), bytes.slice(a, b), bytes.slice(b)]) buffer.append(piece);
        expect(lines(buffer)).toEqual(['eins', 'zwei', '', 'fünf ✓', 'last']);
      }
    }
  });

  it('shows no empty line behind the last break', () => {
    const buffer = new LineBuffer();
    buffer.append(encode('a\n'));
    expect(lines(buffer)).toEqual(['a']);
    buffer.append(encode('b\n'));
    expect(lines(buffer)).toEqual(['a', 'b']);
  });

  it('holds a million lines', () => {
    const buffer = new LineBuffer();
    const piece = encode('0123456789 some output of a program\n'.repeat(10_000));
    for (let i = 0; i < 100; ++i) buffer.append(piece);
    expect(buffer.length).toBe(1_000_000);
    expect(buffer.line(999_999)).toBe('0123456789 some output of a program');
  });
});

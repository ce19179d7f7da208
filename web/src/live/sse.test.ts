import { describe, expect, it } from 'vitest';
import { SseParser } from './sse';

const wire = 'retry: 1500\n\n: hello\nid: 7\nevent: step_started\ndata: {"seq":7}\n\nid: 8\r\ndata: a\r\ndata: b\r\n\r\n';

describe('SseParser', () => {
  it('gives the same frames however the bytes are cut', () => {
    const whole = new SseParser().push(wire);
    expect(whole).toEqual([
      { id: '7', event: 'step_started', data: '{"seq":7}' },
      { id: '8', event: 'message', data: 'a\nb' },
    ]);
    for (let cut = 1; cut < wire.length; ++cut) {
      const parser = new SseParser();
      const frames = [...parser.push(wire.slice(0, cut)), ...parser.push(wire.slice(cut))];
      expect(frames).toEqual(whole);
      expect(parser.lastId).toBe('8');
      expect(parser.retry).toBe(1500);
    }
  });

  it('keeps an unfinished frame to itself', () => {
    expect(new SseParser().push('data: half\n')).toEqual([]);
  });
});

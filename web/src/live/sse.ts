// Server-sent events, as the HTML standard parses them (section 9.2.6), fed piece by piece.

export interface Frame {
  id: string;
  event: string;
  data: string;
}

export class SseParser {
  private rest = '';
  private event = '';
  private data: string[] = [];
  /** The last id seen: where to go on. */
  lastId = '';
  /** What the server asked to wait before a reconnect, in milliseconds. */
  retry: number | null = null;

  push(chunk: string): Frame[] {
    const frames: Frame[] = [];
    let text = this.rest + chunk;
    // A lone CR at the end may be half of a CRLF.
    let hold = '';
    if (text.endsWith('\r')) {
      hold = '\r';
      text = text.slice(0, -1);
    }
    const lines = text.split(/\r\n|\n|\r/);
    this.rest = (lines.pop() ?? '') + hold;
    for (const line of lines) {
      if (line === '') {
        if (this.data.length > 0) {
          frames.push({ id: this.lastId, event: this.event || 'message', data: this.data.join('\n') });
        }
        this.event = '';
        this.data = [];
        continue;
      }
      if (line.startsWith(':')) continue;
      const colon = line.indexOf(':');
      const field = colon < 0 ? line : line.slice(0, colon);
      let value = colon < 0 ? '' : line.slice(colon + 1);
      if (value.startsWith(' ')) value = value.slice(1);
      if (field === 'data') this.data.push(value);
      else if (field === 'event') this.event = value;
      else if (field === 'id' && !value.includes('\0')) this.lastId = value;
      else if (field === 'retry' && /^\d+$/.test(value)) this.retry = Number(value);
    }
    return frames;
  }
}

/** Reads a response's stream until it ends or `onFrames` says false. */
export async function readFrames(
  response: Response, parser: SseParser, onFrames: (frames: Frame[]) => boolean | void,
): Promise<void> {
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    if (onFrames(parser.push(decoder.decode(value, { stream: true }))) === false) {
      await reader.cancel();
      return;
    }
  }
}

// Bytes as lines, without a string per line: a million lines are a few typed arrays.
const kNewline = 10;

export class LineBuffer {
  private readonly chunks: Uint8Array[] = [];
  private readonly chunkStarts: number[] = [];
  private starts = new Float64Array(1024);
  private lineCount = 0;
  private readonly decoder = new TextDecoder();
  /** How many bytes there are; what comes next starts here. */
  bytes = 0;

  /** Lines so far; the last one may go on. */
  get length(): number {
    return this.lineCount;
  }

  append(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (this.lineCount === 0) this.addStart(0);
    else if (this.pendingBreak) this.addStart(this.bytes);
    this.pendingBreak = false;
    for (let i = chunk.indexOf(kNewline); i >= 0; i = chunk.indexOf(kNewline, i + 1)) {
      // A line begins only when something stands in it.
      if (i + 1 < chunk.length) this.addStart(this.bytes + i + 1);
      else this.pendingBreak = true;
    }
    this.chunks.push(chunk);
    this.chunkStarts.push(this.bytes);
    this.bytes += chunk.length;
  }

  line(index: number): string {
    const from = this.starts[index]!;
    let to = index + 1 < this.lineCount ? this.starts[index + 1]! - 1 : this.bytes - (this.pendingBreak ? 1 : 0);
    // What a terminal would overwrite, and what nobody reads, is cut.
    if (to - from > 20_000) to = from + 20_000;
    const text = this.decoder.decode(this.slice(from, to));
    return text.endsWith('\r') ? text.slice(0, -1) : text;
  }

  private pendingBreak = false;

  private addStart(at: number): void {
    if (this.lineCount === this.starts.length) {
      const grown = new Float64Array(this.starts.length * 2);
      grown.set(this.starts);
      this.starts = grown;
    }
    this.starts[this.lineCount++] = at;
  }

  private chunkAt(offset: number): number {
    let low = 0;
    let high = this.chunkStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.chunkStarts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  private slice(from: number, to: number): Uint8Array {
    let i = this.chunkAt(from);
    const start = from - this.chunkStarts[i]!;
    const within = this.chunks[i]!.subarray(start, start + (to - from));
    if (within.length >= to - from) return within;
    const whole = new Uint8Array(to - from);
    whole.set(within);
    let at = within.length;
    while (at < whole.length && ++i < this.chunks.length) {
      const piece = this.chunks[i]!.subarray(0, whole.length - at);
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }
}

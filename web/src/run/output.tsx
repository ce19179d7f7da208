// What an agent or command printed, byte for byte: fetched in pieces, kept as bytes, drawn line by line.
import Anser from 'anser';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useNavigate } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useRef, useState, type CSSProperties } from 'react';
import { base } from '../api/base';
import { path, query, request } from '../api/client';
import { bytes, count } from '../ui/format';
import { Icon } from '../ui/icons';
import { useKeys } from '../ui/keys';
import { Bones, Empty } from '../ui/states';
import { toast } from '../ui/toasts';
import type { AttemptView } from './attempts';
import { LineBuffer } from './line_buffer';

const kPiece = 4 << 20;
const kLine = 18;
const looksBad = /\b(error|fail(ed|ure)?|fatal|panic|exception|traceback|assert(ion)?)\b/i;

function Ansi({ text }: { text: string }) {
  if (!text.includes('\u001b')) return <>{text}</>;
  return (
    <>
      {Anser.ansiToJson(text, { use_classes: true, remove_empty: true, json: true }).map((part, i) => {
        const colour = part.fg ? part.fg.replace('ansi-bright-', 'ansi-') : '';
        const ways = part.decorations.map((way) => `ansi-${way}`).join(' ');
        return <span key={i} className={`${colour.startsWith('ansi-') && !colour.includes('palette') ? colour : ''} ${ways}`.trim() || undefined}>{part.content}</span>;
      })}
    </>
  );
}

function useOutput(runId: string, attempt: AttemptView, stream: 'out' | 'err', version: number, running: boolean) {
  const buffer = useRef(new LineBuffer());
  const [state, setState] = useState({ lines: 0, loading: true, error: '' });
  const busy = useRef(false);
  const again = useRef(false);
  const read = useCallback(async (signal: AbortSignal) => {
    if (busy.current) {
      again.current = true;
      return;
    }
    busy.current = true;
    try {
      for (;;) {
        const from = buffer.current.bytes;
        const response = await request(`${path`/api/runs/${runId}/steps/${attempt.step}/output`}${query({
          stream, visit: attempt.visit, attempt: attempt.attempt, offset: from, length: kPiece,
        })}`, { signal });
        const piece = new Uint8Array(await response.arrayBuffer());
        if (signal.aborted) return;
        buffer.current.append(piece);
        setState({ lines: buffer.current.length, loading: piece.length === kPiece, error: '' });
        if (piece.length < kPiece && !again.current) return;
        again.current = false;
        if (piece.length === 0) return;
      }
    } catch (error) {
      if (!signal.aborted) setState({ lines: buffer.current.length, loading: false, error: (error as Error).message });
    } finally {
      busy.current = false;
    }
  }, [runId, attempt, stream]);
  const abort = useRef<AbortController | null>(null);
  useEffect(() => {
    buffer.current = new LineBuffer();
    busy.current = false;
    const controller = new AbortController();
    abort.current = controller;
    setState({ lines: 0, loading: true, error: '' });
    void read(controller.signal);
    return () => controller.abort();
  }, [read]);
  // New activity is the sign of new output.
  useEffect(() => {
    if (abort.current && !abort.current.signal.aborted) void read(abort.current.signal);
  }, [version, running, read]);
  return { buffer: buffer.current, ...state };
}

export function Output({ runId, attempt, version, running, line }: {
  runId: string;
  attempt: AttemptView;
  version: number;
  running: boolean;
  line: number | null;
}) {
  const [stream, setStream] = useState<'out' | 'err'>('out');
  const { buffer, lines, loading, error } = useOutput(runId, attempt, stream, version, running);
  const [needle, setNeedle] = useState('');
  const [hits, setHits] = useState<number[]>([]);
  const [hit, setHit] = useState(0);
  const [follow, setFollow] = useState(running && line === null);
  const box = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const navigate = useNavigate();
  const list = useVirtualizer({ count: lines, getScrollElement: () => box.current, estimateSize: () => kLine, overscan: 30 });

  const show = (index: number) => list.scrollToIndex(index, { align: 'center' });
  // Lines go on coming while it is on its way there: it has arrived when they have.
  const arrived = useRef<number | null>(null);
  useEffect(() => {
    if (line === null || lines < line || arrived.current === line) return;
    list.scrollToIndex(line - 1, { align: 'center' });
    if (!loading) arrived.current = line;
  }, [line, lines, loading, list]);
  useEffect(() => {
    if (follow && lines > 0) list.scrollToIndex(lines - 1, { align: 'end' });
  }, [follow, lines, list]);

  // Searched in slices, so that typing never waits for a million lines.
  useEffect(() => {
    setHits([]);
    setHit(0);
    if (!needle) return;
    const found: number[] = [];
    const what = needle.toLowerCase();
    let at = 0;
    let timer: ReturnType<typeof setTimeout>;
    const slice = () => {
      const until = performance.now() + 8;
      while (at < buffer.length && performance.now() < until) {
        for (const end = Math.min(at + 200, buffer.length); at < end; ++at) {
          if (buffer.line(at).toLowerCase().includes(what)) found.push(at);
        }
      }
      setHits([...found.slice(0, 100_000)]);
      if (at < buffer.length) timer = setTimeout(slice);
    };
    timer = setTimeout(slice, 120);
    return () => clearTimeout(timer);
  }, [needle, buffer, lines]);
  const hitSet = useMemo(() => new Set(hits), [hits]);
  const go = (by: number) => {
    if (hits.length === 0) return;
    const next = (hit + by + hits.length) % hits.length;
    setHit(next);
    setFollow(false);
    show(hits[next]!);
  };
  const toError = () => {
    for (let i = 0; i < buffer.length; ++i) {
      if (!looksBad.test(buffer.line(i))) continue;
      setFollow(false);
      show(i);
      void navigate({ to: '.', search: (old: object) => ({ ...old, line: String(i + 1) }), replace: true, resetScroll: false });
      return;
    }
    toast('run', loading ? 'No error so far' : 'No error in it', loading ? 'The rest is still being loaded.' : 'Nothing in this output looks like one.');
  };
  useKeys({ f: () => field.current?.focus(), e: toError });
  const raw = `${path`/api/runs/${runId}/steps/${attempt.step}/output`}${query({ stream, visit: attempt.visit, attempt: attempt.attempt, length: 16 << 20 })}`;
  return (
    <div className="output">
      <div className="output-tools">
        <select className="select" aria-label="Stream" value={stream} onChange={(event) => setStream(event.target.value as 'out' | 'err')}>
          <option value="out">Output{attempt.outBytes !== null ? ` (${bytes(attempt.outBytes)})` : ''}</option>
          <option value="err">Errors{attempt.errBytes !== null ? ` (${bytes(attempt.errBytes)})` : ''}</option>
        </select>
        <input
          ref={field} className="input" type="search" placeholder="Search" aria-label="Search the output" value={needle} onChange={(event) => setNeedle(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') go(event.shiftKey ? -1 : 1);
          }}
        />
        {needle && <span className="small quiet tabular" role="status">{hits.length ? `${hit + 1} of ${count(hits.length)}` : 'none'}</span>}
        <button className="button small plain" onClick={toError} title="e">First error</button>
        <span className="grow" />
        <span className="small quiet tabular">{count(lines)} lines{loading ? ' …' : ''}</span>
        {running && <label className="checkbox"><input type="checkbox" checked={follow} onChange={(event) => setFollow(event.target.checked)} />Follow</label>}
        <a className="button small plain" href={base + raw} target="_blank" rel="noreferrer"><Icon name="file" size={14} />Raw</a>
      </div>
      {error && lines === 0 ? <Empty icon="list" title="There is no output to show"><p>{error}</p></Empty>
        : lines === 0 && loading ? <Bones rows={8} height={12} label="Loading the output" />
          : lines === 0 ? <Empty icon="list" title="Nothing was printed"><p>{stream === 'out' ? 'This attempt printed nothing.' : 'No errors were printed.'}</p></Empty>
            : (
              <div className="lines" ref={box} tabIndex={0} role="region" aria-label={`Output of ${attempt.step}`}
                onWheel={() => setFollow(false)}>
                <div style={{ height: list.getTotalSize(), position: 'relative', '--gutter': `${Math.max(3, String(lines).length) * 0.62 + 2}em` } as CSSProperties}>
                  {list.getVirtualItems().map((row) => (
                    <div key={row.index} className={`line${hitSet.has(row.index) ? ' hit' : ''}${line === row.index + 1 ? ' here' : ''}`} style={{ transform: `translateY(${row.start}px)` }}>
                      <a className="no" href={`?step=${encodeURIComponent(attempt.step)}&view=output&line=${row.index + 1}`} tabIndex={-1} aria-label={`Line ${row.index + 1}`}
                        onClick={(event) => {
                          event.preventDefault();
                          void navigate({ to: '.', search: (old: object) => ({ ...old, line: String(row.index + 1) }), replace: true, resetScroll: false });
                        }}>{row.index + 1}</a>
                      <span><Ansi text={buffer.line(row.index)} /></span>
                    </div>
                  ))}
                </div>
              </div>
            )}
    </div>
  );
}

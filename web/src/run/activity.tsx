// What an agent said and did in one attempt, as a conversation.
import { useVirtualizer } from '@tanstack/react-virtual';
import { Link } from '@tanstack/react-router';
import { memo, useEffect, useMemo, useRef, useState } from 'react';
import type { RunEvent } from '../api/types';
import { clock, exact } from '../ui/format';
import { Icon, type IconName } from '../ui/icons';
import { Empty } from '../ui/states';
import type { AttemptView } from './attempts';
import { sentence } from './words';

interface Item {
  event: RunEvent;
  result?: RunEvent;
}

const s = (value: unknown): string => (typeof value === 'string' ? value : '');
const kLaidOut = 4_000;  // to begin with
const kMore = 2_000;  // with each step back
const hidden = new Set(['outputs_collected', 'checkpoint_created', 'timer_set', 'timer_fired']);
const marks: Record<string, string> = {
  contract_passed: 'ok', contract_failed: 'bad', step_completed: 'ok', step_failed: 'bad', step_rejected: 'bad', step_retrying: 'warn',
  step_reworking: 'special', step_interrupted: 'warn', step_waiting: 'warn', gate_waiting: 'warn', gate_resolved: 'ok', artifact_created: 'idle', agent_exited: 'idle',
};

/** The items of one attempt, made once of each event: a run may have a hundred thousand of them. */
class Conversation {
  readonly items: Item[] = [];
  private readonly open: Item[] = [];
  private seen = 0;

  update(events: readonly RunEvent[]): Item[] {
    for (; this.seen < events.length; ++this.seen) this.add(events[this.seen]!);
    return this.items;
  }

  private add(event: RunEvent): void {
    if (hidden.has(event.event) || (event.event === 'agent_exited' && event.succeeded === true)) return;
    const activity = event.event === 'stream_activity';
    // A tool's result stands with its call.
    if (activity && event.kind === 'tool_result') {
      const at = this.open.findIndex((item) => s(item.event.tool_name) === s(event.tool_name));
      const call = at >= 0 ? this.open.splice(at, 1)[0] : this.open.shift();
      if (call) {
        // A new object, so that its row is drawn again.
        const answered = { event: call.event, result: event };
        this.items[this.items.lastIndexOf(call)] = answered;
        return;
      }
    }
    const item: Item = { event };
    if (activity && event.kind === 'tool_use') this.open.push(item);
    this.items.push(item);
  }
}

const conversations = new WeakMap<AttemptView, Conversation>();

/** Also called while another view is open, so that this one opens at once. */
export function conversationOf(attempt: AttemptView): Item[] {
  let conversation = conversations.get(attempt);
  if (!conversation) {
    conversation = new Conversation();
    conversations.set(attempt, conversation);
  }
  return conversation.update(attempt.events);
}

function pretty(content: string): string {
  try {
    return JSON.stringify(JSON.parse(content), null, 2);
  } catch {
    return content;
  }
}

const Row = memo(function Row({ item, here }: { item: Item; here: boolean }) {
  const { event, result } = item;
  const at = (
    <span className="at"><Link to="." search={(old: object) => ({ ...old, seq: String(event.seq) })} title={`${exact(event.ts)}, event ${event.seq}`} replace resetScroll={false}>{clock(event.ts)}</Link></span>
  );
  if (event.event !== 'stream_activity') {
    return (
      <div className={`talk-item mark tone-${marks[event.event] ?? 'idle'}${here ? ' here' : ''}`}>
        {at}<span className="icon"><Icon name={event.event.startsWith('gate') ? 'gate' : event.event === 'artifact_created' ? 'file' : event.event.startsWith('contract') ? 'contract' : 'right'} size={15} /></span>
        <div className="said">
          {sentence(event)}
          {event.event !== 'step_retrying' && event.event !== 'step_reworking' && Array.isArray(event.errors) && event.errors.length > 0 && <ul style={{ listStyle: 'disc', paddingLeft: '1.2em', fontWeight: 400 }}>{event.errors.slice(0, 20).map((one, i) => <li key={i}>{String(one)}</li>)}</ul>}
        </div>
      </div>
    );
  }
  const kind = s(event.kind);
  const failed = event.is_error === true || result?.is_error === true;
  if (kind === 'tool_use' || kind === 'tool_result') {
    const input = kind === 'tool_use' ? s(event.content) : '';
    const output = s(result?.content ?? (kind === 'tool_result' ? event.content : ''));
    return (
      <div className={`talk-item${failed ? ' error' : ''}${here ? ' here' : ''}`}>
        {at}<span className="icon"><Icon name="tool" size={15} /></span>
        <div>
          <p className="tool"><b>{s(event.tool_name) || 'Tool'}</b> <code>{s(event.tool_target)}</code>{failed && <span> failed</span>}</p>
          {(input || output) && (
            <details>
              <summary>{output ? `${output.split('\n').length} ${output.includes('\n') ? 'lines' : 'line'} came back` : 'What was asked'}</summary>
              {input && input !== '{}' && <pre className="code wrap">{pretty(input)}</pre>}
              {output && <pre className="code wrap">{output}</pre>}
            </details>
          )}
        </div>
      </div>
    );
  }
  const icon: IconName = kind === 'thinking' ? 'thought' : kind === 'output' ? 'list' : kind === 'notice' ? 'bell' : 'persona';
  return (
    <div className={`talk-item ${kind}${failed ? ' error' : ''}${here ? ' here' : ''}`}>
      {at}<span className="icon"><Icon name={icon} size={15} /></span>
      <div className={`said${kind === 'output' ? ' mono' : ''}`}>{s(event.content)}</div>
    </div>
  );
});

/** How high a row is at least, before it was drawn, px: guessed too high, the end would run away from who follows it. */
function guess({ event, result }: Item): number {
  if (event.event !== 'stream_activity') return 29;
  if (event.kind === 'tool_use' || event.kind === 'tool_result') return result || event.kind === 'tool_result' ? 54 : 31;
  const content = s(event.content);
  return 10 + 21 * Math.min(60, 1 + Math.floor(content.length / 200));
}

/** `version` changes when events have come: the attempt itself is the same object. */
export function Activity({ attempt, seq, running, version }: { attempt: AttemptView; seq: number | null; version: number; running: boolean }) {
  const all = conversationOf(attempt);
  // Of a very long conversation the end is laid out, or what surrounds the event that was asked for, until
  // somebody goes back in it.
  const [held, setHeld] = useState<number | null>(() => {
    const at = seq === null ? -1 : all.findIndex((item) => item.event.seq >= seq);
    return at >= 0 ? Math.max(0, at - kLaidOut) : null;
  });
  const start = held ?? Math.max(0, Math.floor((all.length - kLaidOut) / kMore) * kMore);
  const items = useMemo(() => (start === 0 ? all : all.slice(start)), [all, all.length, start, version]);
  const box = useRef<HTMLDivElement>(null);
  // Of its own accord it stays at the end of what goes on, and of what is too long to begin at its beginning.
  const [stick, setStick] = useState<boolean | null>(null);
  const follow = stick ?? (seq === null && (running || all.length > kLaidOut));
  // Only what a person's hand does is a wish to go elsewhere; sizes that change scroll as well.
  const hand = useRef(0);
  const byHand = () => { hand.current = performance.now(); };
  const leave = (from: number) => {
    setStick(false);
    setHeld(from);
  };
  const list = useVirtualizer({
    count: items.length, getScrollElement: () => box.current, estimateSize: (i) => guess(items[i]!), overscan: 12,
    getItemKey: (i) => items[i]!.event.seq,
    // What is put in above does not move what one reads; what comes below is followed from the end.
    anchorTo: 'end', followOnAppend: follow, scrollEndThreshold: 60,
  });
  const here = seq === null ? -1 : items.findIndex((item) => item.event.seq === seq || item.result?.seq === seq);
  // Once at the end it stays there by itself.
  useEffect(() => {
    if (follow) list.scrollToEnd();
  }, [follow, list]);
  useEffect(() => {
    if (here >= 0) list.scrollToIndex(here, { align: 'center' });
  }, [here, list]);
  const [toFirst, setToFirst] = useState(false);
  useEffect(() => {
    if (!toFirst) return;
    list.scrollToIndex(0);
    setToFirst(false);
  }, [toFirst, list]);
  if (items.length === 0) return <Empty icon="activity" title={running ? 'It has begun' : 'Nothing was said'}><p>{running ? 'What the agent says and does appears here.' : 'This attempt left no activity.'}</p></Empty>;
  return (
    <div style={{ position: 'relative' }}>
      {all.length > kLaidOut && (
        <div className="talk-range small quiet">
          <span className="tabular">{start > 0 ? `From entry ${(start + 1).toLocaleString('en')} of ${all.length.toLocaleString('en')}; scroll up for earlier ones` : `All ${all.length.toLocaleString('en')} entries`}</span>
          <span className="row">
            <button className="button plain small" onClick={() => { leave(0); setToFirst(true); }}>To the first</button>
            <button className="button plain small" onClick={() => { setHeld(null); setStick(true); }}>To the last</button>
          </span>
        </div>
      )}
      <div
        className="talk" ref={box} tabIndex={0} role="log" aria-label={`Activity of ${attempt.step}`} aria-live="off"
        onWheel={byHand} onTouchMove={byHand} onKeyDown={byHand} onPointerDown={byHand} onPointerMove={(event) => { if (event.buttons) byHand(); }}
        onScroll={(event) => {
          if (performance.now() - hand.current > 700) return;
          const element = event.currentTarget;
          if (element.scrollHeight - element.scrollTop - element.clientHeight < 40) return setStick(true);
          leave(element.scrollTop < 400 ? Math.max(0, start - kMore) : start);
        }}
      >
        <div style={{ height: list.getTotalSize(), position: 'relative' }}>
          {list.getVirtualItems().map((row) => (
            <div key={row.key} data-index={row.index} ref={list.measureElement} style={{ position: 'absolute', left: 0, right: 0, top: 0, transform: `translateY(${row.start}px)` }}>
              <Row item={items[row.index]!} here={row.index === here} />
            </div>
          ))}
        </div>
      </div>
      {running && !follow && (
        <button className="button small" style={{ position: 'absolute', right: 24, bottom: 12, boxShadow: 'var(--shadow-2)' }} onClick={() => { setHeld(null); setStick(true); }}><Icon name="down" size={14} />Follow</button>
      )}
    </div>
  );
}

// What an agent said and did in one attempt, as a conversation.
import { useVirtualizer } from '@tanstack/react-virtual';
import { Link } from '@tanstack/react-router';
import { memo, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { RunEvent } from '../api/types';
import { clock, count, exact } from '../ui/format';
import { Icon, type IconName } from '../ui/icons';
import { Empty } from '../ui/states';
import type { AttemptView } from './attempts';
import { sentence } from './words';

interface Item {
  event: RunEvent;
  result?: RunEvent;
}

const s = (value: unknown): string => (typeof value === 'string' ? value : '');
const kLaidOut = 10_000;  // to begin with
const kMore = 5_000;  // with each step back
const hidden = new Set(['outputs_collected', 'checkpoint_created', 'timer_set', 'timer_fired']);
const marks: Record<string, string> = {
  contract_passed: 'ok', contract_failed: 'bad', step_completed: 'ok', step_failed: 'bad', step_rejected: 'bad', step_retrying: 'warn',
  step_reworking: 'special', step_interrupted: 'warn', gate_waiting: 'warn', gate_resolved: 'ok', artifact_created: 'idle', agent_exited: 'idle',
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

function conversationOf(attempt: AttemptView): Item[] {
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

/** How high a row is before it was drawn, px. */
const guess = (item: Item) => (item.event.event === 'stream_activity' ? 52 : 32);

/** `version` changes when events have come: the attempt itself is the same object. */
export function Activity({ attempt, seq, running }: { attempt: AttemptView; seq: number | null; version: number; running: boolean }) {
  const all = conversationOf(attempt);
  // Of a very long conversation the end is laid out, or what surrounds the event that was asked for.
  const [start, setStart] = useState(() => {
    const at = seq === null ? -1 : all.findIndex((item) => item.event.seq >= seq);
    return Math.max(0, (at >= 0 ? at : all.length) - kLaidOut);
  });
  const items = start === 0 ? all : all.slice(start);
  const box = useRef<HTMLDivElement>(null);
  const laidOut = useRef(start);
  const [follow, setFollow] = useState(running && seq === null);
  const list = useVirtualizer({
    count: items.length, getScrollElement: () => box.current, estimateSize: (i) => guess(items[i]!), overscan: 12,
    getItemKey: (i) => items[i]!.event.seq,
  });
  const here = seq === null ? -1 : items.findIndex((item) => item.event.seq === seq || item.result?.seq === seq);
  useEffect(() => {
    if (follow && items.length > 0) list.scrollToIndex(items.length - 1, { align: 'end' });
  }, [follow, items.length, list]);
  useEffect(() => {
    if (here >= 0) list.scrollToIndex(here, { align: 'center' });
  }, [here, list]);
  // What is put in above does not move what one reads.
  useLayoutEffect(() => {
    const before = laidOut.current;
    laidOut.current = start;
    if (start >= before || !box.current) return;
    box.current.scrollTop += all.slice(start, before).reduce((height, item) => height + guess(item), 0);
  }, [start, all]);
  const [goTo, setGoTo] = useState<'first' | 'last' | null>(null);
  useEffect(() => {
    if (!goTo) return;
    list.scrollToIndex(goTo === 'first' ? 0 : items.length - 1, { align: goTo === 'first' ? 'start' : 'end' });
    setGoTo(null);
  }, [goTo, items.length, list]);
  if (items.length === 0) return <Empty icon="activity" title={running ? 'It has begun' : 'Nothing was said'}><p>{running ? 'What the agent says and does appears here.' : 'This attempt left no activity.'}</p></Empty>;
  return (
    <div style={{ position: 'relative' }}>
      {all.length > kLaidOut && (
        <div className="talk-range small quiet">
          <span className="tabular">{start > 0 ? `From entry ${count(start + 1)} of ${count(all.length)}; scroll up for earlier ones` : `All ${count(all.length)} entries`}</span>
          <span className="row">
            <button className="button plain small" onClick={() => { setFollow(false); setStart(0); setGoTo('first'); }}>To the first</button>
            <button className="button plain small" onClick={() => setGoTo('last')}>To the last</button>
          </span>
        </div>
      )}
      <div
        className="talk" ref={box} tabIndex={0} role="log" aria-label={`Activity of ${attempt.step}`} aria-live="off"
        onScroll={(event) => {
          const element = event.currentTarget;
          if (element.scrollTop < 400 && start > 0) setStart(Math.max(0, start - kMore));
          setFollow(running && element.scrollHeight - element.scrollTop - element.clientHeight < 40);
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
        <button className="button small" style={{ position: 'absolute', right: 24, bottom: 12, boxShadow: 'var(--shadow-2)' }} onClick={() => setFollow(true)}><Icon name="down" size={14} />Follow</button>
      )}
    </div>
  );
}

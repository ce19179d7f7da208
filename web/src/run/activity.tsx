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
const hidden = new Set(['outputs_collected', 'checkpoint_created', 'timer_set', 'timer_fired']);
const marks: Record<string, string> = {
  contract_passed: 'ok', contract_failed: 'bad', step_completed: 'ok', step_failed: 'bad', step_rejected: 'bad', step_retrying: 'warn',
  step_reworking: 'special', step_interrupted: 'warn', gate_waiting: 'warn', gate_resolved: 'ok', artifact_created: 'idle', agent_exited: 'idle',
};

/** A tool's result stands with its call. */
function itemsOf(events: readonly RunEvent[]): Item[] {
  const items: Item[] = [];
  const open: Item[] = [];
  for (const event of events) {
    if (hidden.has(event.event) || (event.event === 'agent_exited' && event.succeeded === true)) continue;
    if (event.event === 'stream_activity' && event.kind === 'tool_result') {
      const at = open.findIndex((item) => s(item.event.tool_name) === s(event.tool_name));
      const call = at >= 0 ? open.splice(at, 1)[0] : open.shift();
      if (call) {
        call.result = event;
        continue;
      }
    }
    const item: Item = { event };
    if (event.event === 'stream_activity' && event.kind === 'tool_use') open.push(item);
    items.push(item);
  }
  return items;
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

export function Activity({ attempt, seq, version, running }: { attempt: AttemptView; seq: number | null; version: number; running: boolean }) {
  // `version` says that events have come, which the list itself does not.
  const items = useMemo(() => itemsOf(attempt.events), [attempt, version]);
  const box = useRef<HTMLDivElement>(null);
  const [follow, setFollow] = useState(running && seq === null);
  const list = useVirtualizer({
    count: items.length, getScrollElement: () => box.current, estimateSize: (i) => (items[i]!.event.event === 'stream_activity' ? 52 : 32), overscan: 12,
    getItemKey: (i) => items[i]!.event.seq,
  });
  const here = seq === null ? -1 : items.findIndex((item) => item.event.seq === seq || item.result?.seq === seq);
  useEffect(() => {
    if (follow && items.length > 0) list.scrollToIndex(items.length - 1, { align: 'end' });
  }, [follow, items.length, list]);
  useEffect(() => {
    if (here >= 0) list.scrollToIndex(here, { align: 'center' });
  }, [here, list]);
  if (items.length === 0) return <Empty icon="activity" title={running ? 'It has begun' : 'Nothing was said'}><p>{running ? 'What the agent says and does appears here.' : 'This attempt left no activity.'}</p></Empty>;
  return (
    <div style={{ position: 'relative' }}>
      <div
        className="talk" ref={box} tabIndex={0} role="log" aria-label={`Activity of ${attempt.step}`} aria-live="off"
        onScroll={(event) => {
          const element = event.currentTarget;
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

// How something stands: a word, a tone and a shape, so that colour is never the only sign.
import { memo } from 'react';

type Tone = 'ok' | 'bad' | 'warn' | 'run' | 'idle' | 'special';
type Shape = 'check' | 'cross' | 'ring' | 'spin' | 'pause' | 'dash' | 'dot' | 'bang';

const looks: Record<string, { tone: Tone; shape: Shape; word: string }> = {
  queued: { tone: 'idle', shape: 'ring', word: 'Queued' },
  running: { tone: 'run', shape: 'spin', word: 'Running' },
  waiting: { tone: 'warn', shape: 'pause', word: 'Waiting' },
  completed: { tone: 'ok', shape: 'check', word: 'Completed' },
  completed_empty: { tone: 'ok', shape: 'check', word: 'Completed, empty' },
  failed: { tone: 'bad', shape: 'cross', word: 'Failed' },
  rejected: { tone: 'bad', shape: 'bang', word: 'Rejected' },
  cancelled: { tone: 'idle', shape: 'dash', word: 'Cancelled' },
  cancelling: { tone: 'warn', shape: 'spin', word: 'Cancelling' },
  pending: { tone: 'idle', shape: 'ring', word: 'Pending' },
  ready: { tone: 'idle', shape: 'dot', word: 'Ready' },
  retrying: { tone: 'warn', shape: 'spin', word: 'Retrying' },
  reworking: { tone: 'special', shape: 'spin', word: 'Being reworked' },
  interrupted: { tone: 'warn', shape: 'bang', word: 'Interrupted' },
  skipped: { tone: 'idle', shape: 'dash', word: 'Skipped' },
};

export function toneOf(status: string): Tone {
  return looks[status]?.tone ?? 'idle';
}
export function wordOf(status: string): string {
  return looks[status]?.word ?? status;
}

const shapes: Record<Shape, React.ReactNode> = {
  check: <path d="m5 8.300 2 2 4-4.300" />,
  cross: <path d="m5.700 5.700 4.600 4.600m0-4.600-4.600 4.600" />,
  ring: null,
  spin: null,
  pause: <path d="M6.500 5.800v4.400m3-4.400v4.400" />,
  dash: <path d="M5.300 8h5.400" />,
  dot: null,
  bang: <path d="M8 4.900v3.600M8 11h.01" />,
};

export const Glyph = memo(function Glyph({ status, size = 16 }: { status: string; size?: number }) {
  const look = looks[status] ?? looks.pending!;
  const filled = ['check', 'cross', 'bang', 'pause', 'dash'].includes(look.shape);
  return (
    <svg className={`glyph tone-${look.tone}`} width={size} height={size} viewBox="0 0 16 16" fill="none" strokeWidth="1.7"
      strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" focusable="false">
      {look.shape === 'spin' ? (
        <g className="spin" stroke="var(--tone)">
          <circle cx="8" cy="8" r="6" strokeOpacity="0.25" />
          <path d="M8 2a6 6 0 0 1 6 6" />
        </g>
      ) : (
        <>
          <circle cx="8" cy="8" r={filled ? 7 : 6} fill={filled ? 'var(--tone)' : 'none'} stroke={filled ? 'none' : 'var(--tone)'} />
          {look.shape === 'dot' && <circle cx="8" cy="8" r="2.500" fill="var(--tone)" />}
          <g stroke="var(--surface)">{shapes[look.shape]}</g>
        </>
      )}
    </svg>
  );
});

export function Status({ status, word, pill = false }: { status: string; word?: string | undefined; pill?: boolean }) {
  return (
    <span className={`status tone-${toneOf(status)}${pill ? ' pill' : ''}`}>
      <Glyph status={status} size={pill ? 14 : 16} />
      {word ?? wordOf(status)}
    </span>
  );
}

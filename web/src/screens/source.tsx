// A text with what there is to say about its lines.
import type { Diagnostic } from '../api/types';

export function Source({ text, diagnostics, label }: { text: string; diagnostics: readonly Diagnostic[]; label: string }) {
  const byLine = new Map<number, Diagnostic[]>();
  for (const one of diagnostics) byLine.set(one.line, [...(byLine.get(one.line) ?? []), one]);
  const above = byLine.get(0) ?? [];
  return (
    <>
      {above.map((one, i) => <p key={i} className={`note ${one.severity === 'error' ? 'bad' : 'warn'} small`} style={{ margin: 'var(--s3)' }}>{one.message}{one.hint ? <span className="hint">{one.hint}</span> : null}</p>)}
      <ol className="source-text" tabIndex={0} aria-label={label}>
        {text.replace(/\n$/, '').split('\n').map((line, i) => {
          const said = byLine.get(i + 1);
          return (
            <li key={i} id={`L${i + 1}`} className={said?.[0]?.severity}>
              <span className="no" aria-hidden="true">{i + 1}</span><span>{line || ' '}</span>
              {said?.map((one, k) => <span key={k} className={`say ${one.severity}`}>{one.message}{one.hint ? <span className="hint">{one.hint}</span> : null}</span>)}
            </li>
          );
        })}
      </ol>
    </>
  );
}

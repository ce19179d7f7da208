import type { RunDetail } from '../api/types';
import { count, money } from '../ui/format';
import type { Rows } from './fold';

export function Cost({ rows, detail }: { rows: Rows; detail: RunDetail }) {
  const { usage } = rows.run;
  const steps = rows.steps.filter((step) => step.usage.tokens_in + step.usage.tokens_out + step.usage.cost_usd > 0).sort((a, b) => b.usage.cost_usd - a.usage.cost_usd);
  const most = Math.max(...steps.map((step) => step.usage.cost_usd), 1e-9);
  const budget = detail.cost.budget_usd;
  return (
    <div className="stack" style={{ padding: 'var(--s4)' }}>
      <div className="row wrap" style={{ gap: 'var(--s6)', alignItems: 'flex-start' }}>
        <div><p className="quiet small">Cost</p><p style={{ fontSize: 'var(--text-xl)', fontWeight: 600 }} className="tabular">{money(usage.cost_usd)}</p>{budget ? <p className="small quiet">of {money(budget)} allowed</p> : null}</div>
        <div><p className="quiet small">Tokens in</p><p className="tabular" style={{ fontSize: 'var(--text-xl)', fontWeight: 600 }}>{count(usage.tokens_in)}</p></div>
        <div><p className="quiet small">Tokens out</p><p className="tabular" style={{ fontSize: 'var(--text-xl)', fontWeight: 600 }}>{count(usage.tokens_out)}</p></div>
        <div><p className="quiet small">From and to the cache</p><p className="tabular" style={{ fontSize: 'var(--text-xl)', fontWeight: 600 }}>{count(usage.tokens_cache_read)} / {count(usage.tokens_cache_write)}</p></div>
      </div>
      {steps.length === 0 ? <p className="quiet">Nothing was spent yet.</p> : (
        <div className="scroll-x" tabIndex={0} role="region" aria-label="Cost by step">
          <table className="table">
            <thead><tr><th>Step</th><th>Model</th><th style={{ width: '32%' }}>Share</th><th className="num">In</th><th className="num">Out</th><th className="num">Cost</th></tr></thead>
            <tbody>
              {steps.map((step) => (
                <tr key={step.step}>
                  <td>{step.step}</td><td className="quiet">{step.model ?? step.adapter ?? '–'}</td>
                  <td><span className="bar" style={{ display: 'block', marginTop: 7 }}><span style={{ width: `${(100 * step.usage.cost_usd) / most}%` }} /></span></td>
                  <td className="num">{count(step.usage.tokens_in)}</td><td className="num">{count(step.usage.tokens_out)}</td><td className="num">{money(step.usage.cost_usd)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

import { useState } from 'react';

const kShown = 200;

function Leaf({ value }: { value: unknown }) {
  if (typeof value === 'string') return <span className="s">“{value}”</span>;
  if (typeof value === 'number') return <span className="n">{value}</span>;
  return <span className="l">{String(value)}</span>;
}

function Branch({ name, value, depth }: { name: string | null; value: unknown; depth: number }) {
  const [all, setAll] = useState(false);
  const key = name === null ? null : <span className="k">{name}: </span>;
  if (typeof value !== 'object' || value === null) return <div>{key}<Leaf value={value} /></div>;
  const entries = Object.entries(value);
  const list = Array.isArray(value);
  if (entries.length === 0) return <div>{key}<span className="quiet">{list ? '[]' : '{}'}</span></div>;
  return (
    <details open={depth < 3}>
      <summary>{key}<span className="quiet">{list ? `${entries.length} items` : `${entries.length} keys`}</span></summary>
      {entries.slice(0, all ? undefined : kShown).map(([inner, item]) => <Branch key={inner} name={inner} value={item} depth={depth + 1} />)}
      {!all && entries.length > kShown && <button className="button plain small" onClick={() => setAll(true)}>Show {entries.length - kShown} more</button>}
    </details>
  );
}

export function JsonTree({ value }: { value: unknown }) {
  return <div className="tree"><Branch name={null} value={value} depth={0} /></div>;
}

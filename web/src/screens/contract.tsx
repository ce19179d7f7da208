import './catalogue.css';
import './run.css';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { contractQuery } from '../api/queries';
import { JsonTree } from '../run/json_tree';
import { Bones, PageHead, Trouble } from '../ui/states';
import { useTitle } from '../ui/title';
import { Source } from './source';

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export default function ContractScreen() {
  const { name } = useParams({ from: '/app/contracts/$name' });
  useTitle(name);
  const { data, error, isPending, refetch } = useQuery(contractQuery(name));
  if (isPending) return <Bones rows={8} label="Loading the contract" />;
  if (error) return <Trouble page error={error} retry={() => void refetch()} />;
  const value = parsed(data.schema);
  return (
    <>
      <nav className="crumbs" aria-label="Where this is"><Link to="/contracts">Contracts</Link></nav>
      <PageHead title={data.contract.title ?? name}>{data.contract.description && <p>{data.contract.description}</p>}<p className="small"><code>{data.contract.path}</code></p></PageHead>
      <div className="detail">
        <section className="card" aria-label="Text"><header><h2>Text</h2></header><Source text={data.schema} diagnostics={[]} label={`Text of ${name}`} /></section>
        <section className="card" aria-label="As a tree"><header><h2>As a tree</h2></header><div style={{ padding: 'var(--s4)' }}>{value === undefined ? <p className="note bad small">This does not parse as JSON.</p> : <JsonTree value={value} />}</div></section>
      </div>
    </>
  );
}

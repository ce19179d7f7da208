import './catalogue.css';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { contractsQuery } from '../api/queries';
import { Bones, Empty, PageHead, Trouble } from '../ui/states';
import { useTitle } from '../ui/title';

export default function Contracts() {
  useTitle('Contracts');
  const { data, error, isPending, refetch } = useQuery(contractsQuery);
  if (isPending) return <Bones rows={6} height={60} label="Loading contracts" />;
  if (error) return <Trouble error={error} retry={() => void refetch()} />;
  return (
    <>
      <PageHead title="Contracts"><p>What the steps’ outputs have to hold to before the next step may begin.</p></PageHead>
      {data.contracts.length === 0 ? <Empty icon="contract" title="There is no contract’s schema"><p>Put JSON Schemas below <code>.agents/contracts</code>.</p></Empty> : (
        <ul className="tiles">
          {data.contracts.map((one) => (
            <li key={one.path} className="card tile">
              <h2><Link to="/contracts/$name" params={{ name: one.name }}>{one.title ?? one.name}</Link></h2>
              {one.description && <p>{one.description}</p>}
              <div className="foot"><code className="truncate">{one.path}</code>{!one.valid && <span className="chip" style={{ background: 'var(--bad-soft)', color: 'var(--bad)' }}>is not JSON</span>}</div>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

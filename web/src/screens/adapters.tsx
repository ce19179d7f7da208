import './catalogue.css';
import { useQuery } from '@tanstack/react-query';
import { adaptersQuery } from '../api/queries';
import { Bones, PageHead, Trouble } from '../ui/states';
import { Status } from '../ui/status';
import { useTitle } from '../ui/title';

export default function Adapters() {
  useTitle('Adapters');
  const { data, error, isPending, refetch } = useQuery(adaptersQuery);
  if (isPending) return <Bones rows={6} height={60} label="Loading adapters" />;
  if (error) return <Trouble error={error} retry={() => void refetch()} />;
  return (
    <>
      <PageHead title="Adapters"><p>Which agents this version can drive, and whether this machine has them.</p></PageHead>
      <ul className="tiles">
        {data.adapters.map((one) => (
          <li key={one.name} className="card tile">
            <div className="row spread"><h2>{one.name}</h2><Status pill status={one.available ? 'completed' : 'skipped'} word={one.available ? 'There' : 'Not there'} /></div>
            <p>{one.description}</p>
            <div className="foot">
              {one.binary ? <code className="chip">{one.binary}</code> : <span className="chip">built in</span>}
              {one.configured && <span className="chip">named by the manifest</span>}
              <span>{one.enforces_permissions ? 'holds personas to their permissions' : 'cannot enforce permissions'}</span>
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}

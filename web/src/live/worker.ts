// All tabs of a browser share this worker, and so one connection.
import { Connection, type Message } from './connection';

const ports = new Set<MessagePort>();
const connection = new Connection((message: Message) => {
  for (const port of ports) port.postMessage(message);
});

(self as unknown as { onconnect: (event: MessageEvent) => void }).onconnect = (event) => {
  const port = event.ports[0]!;
  ports.add(port);
  port.onmessage = ({ data }: MessageEvent<string>) => {
    if (data === 'bye') ports.delete(port);
    if (data === 'nudge') connection.nudge();
    if (data === 'lost') connection.lost();
  };
  port.postMessage(connection.current());
  connection.start();
};

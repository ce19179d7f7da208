// The few pictures of this application, drawn on a grid of 20 with a stroke of 1.6.
const paths = {
  runs: 'M3 5h14M3 10h9M3 15h11',
  plus: 'M10 4v12M4 10h12',
  pipeline: 'M4.500 6.500a2 2 0 1 0 0-.01M15.500 10a2 2 0 1 0 0-.01M4.500 13.700a2 2 0 1 0 0-.01M6.500 6.600 13.500 9.300M6.500 13.500 13.500 10.700',
  persona: 'M10 10a3.200 3.200 0 1 0 0-6.400 3.200 3.200 0 0 0 0 6.400ZM4 16.500c.7-3 3.100-4.500 6-4.500s5.300 1.500 6 4.500',
  contract: 'M5.500 3h6.500l3 3v11h-9.500zM8 9.500l1.500 1.500 3-3M8 14h4.500',
  adapter: 'M7 3v4M13 3v4M5 7h10v3a5 5 0 0 1-10 0zM10 15v2.500',
  chart: 'M3.500 16.500h13M6 13.500v-4M10 13.500v-8M14 13.500v-6',
  activity: 'M2.500 10.500h3.500l2.500-6 3.500 11 2.500-5h3',
  server: 'M4 4h12v5H4zM4 11h12v5H4zM7 6.500h.01M7 13.500h.01',
  search: 'M9 14.500a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11ZM13 13l4 4',
  sun: 'M10 13.200a3.200 3.200 0 1 0 0-6.400 3.200 3.200 0 0 0 0 6.400ZM10 2v1.500M10 16.500V18M2 10h1.500M16.500 10H18M4.300 4.300l1.100 1.100M14.600 14.600l1.100 1.100M15.700 4.300l-1.100 1.100M5.400 14.600l-1.100 1.100',
  moon: 'M16.500 12A7 7 0 0 1 8 3.500 7 7 0 1 0 16.500 12Z',
  system: 'M3 4.500h14v9H3zM7.500 17h5M10 13.500V17',
  close: 'M5 5l10 10M15 5 5 15',
  more: 'M4.500 10h.01M10 10h.01M15.500 10h.01',
  down: 'M10 4v11M5.500 10.500 10 15l4.500-4.500',
  right: 'M7.500 5l5 5-5 5',
  gate: 'M5 17V7.500a5 5 0 0 1 10 0V17M3 17h14M10 11v2.500',
  clock: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM10 6v4.200l2.600 1.700',
  copy: 'M7 7h9v9H7zM4 13V4h9',
  file: 'M5.500 3h6l3.500 3.500V17h-9.500zM11 3v4h4',
  link: 'M8.500 11.500a3 3 0 0 0 4.300 0l2.700-2.700a3 3 0 0 0-4.300-4.300l-.8.8M11.500 8.500a3 3 0 0 0-4.300 0l-2.700 2.700a3 3 0 0 0 4.300 4.300l.8-.8',
  retry: 'M4 10a6 6 0 0 1 10.500-4L16 7.500M16 4v3.500h-3.500M16 10a6 6 0 0 1-10.500 4L4 12.500M4 16v-3.500h3.500',
  stop: 'M5.500 5.500h9v9h-9z',
  tool: 'M12.500 7.500 16 4a4 4 0 0 1-5 5.200L5.800 14.400a1.500 1.500 0 0 1-2.200-2.200L8.800 7A4 4 0 0 1 14 2.600L11.500 5.500z',
  thought: 'M10 14.500c-4 0-6.500-2-6.500-5S6 4.500 10 4.500s6.500 2 6.500 5-2.500 5-6.500 5ZM6 17h.01',
  branch: 'M6 5v10M6 8c5 0 7-1 8-3M6 5.010a1.500 1.500 0 1 0 0-.01M14 5.010a1.500 1.500 0 1 0 0-.01M6 16.500a1.500 1.500 0 1 0 0-.01',
  key: 'M12.500 11a4 4 0 1 0-3.800-2.800L3.500 13.500v3H7v-2h2v-2l1.300-1.300a4 4 0 0 0 2.200-.2ZM13.300 6.700h.01',
  bell: 'M5 14V9a5 5 0 0 1 10 0v5l1.200 1H3.800zM8.500 17h3',
  list: 'M7 5h10M7 10h10M7 15h10M3.500 5h.01M3.500 10h.01M3.500 15h.01',
  alert: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM10 6.500v4M10 13.500h.01',
  money: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM12.300 7.700c-.5-.8-1.300-1.100-2.300-1.100-1.300 0-2.200.7-2.200 1.700 0 2.300 4.700 1 4.700 3.400 0 1.100-1.100 1.800-2.500 1.800-1.100 0-2.100-.4-2.600-1.300M10 5.500v9',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.6"
      strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}

export function Mark({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" fill="#0d6b74" />
      <path d="M5 19c3.700 0 3.700-6 7.300-6s3.700 6 7.400 6 3.600-6 7.300-6" fill="none" stroke="#fff" strokeWidth="3" strokeLinecap="round" />
    </svg>
  );
}

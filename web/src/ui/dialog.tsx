import * as Radix from '@radix-ui/react-dialog';
import type { ReactNode } from 'react';

/**
 * A modal dialog. The veil is ours: Radix' own overlay locks scrolling by an inline <style>, which the
 * Content-Security-Policy forbids.
 */
export function Dialog({ open, onClose, title, description, children, kind = '' }: {
  open: boolean;
  onClose: () => void;
  title: string;
  description?: ReactNode;
  children: ReactNode;
  kind?: string;
}) {
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <div className="veil" aria-hidden="true" />
        <Radix.Content className={`dialog ${kind}`} {...(description ? {} : { 'aria-describedby': undefined })}>
          <Radix.Title className={kind.includes('palette') ? 'sr-only' : undefined}>{title}</Radix.Title>
          {description && <Radix.Description asChild><div className="quiet">{description}</div></Radix.Description>}
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

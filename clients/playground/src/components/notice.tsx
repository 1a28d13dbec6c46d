// A message that the user should read, with the actions that help.

import type { ReactNode } from 'react';

interface NoticeProps {
  readonly tone: 'plain' | 'good' | 'warn' | 'bad';
  readonly title: string;
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
}

export function Notice({ tone, title, children, actions }: NoticeProps) {
  return (
    <div className="notice" data-tone={tone} role="status">
      <div className="notice-text">
        <p className="notice-title">{title}</p>
        {children !== undefined && <div className="notice-body">{children}</div>}
      </div>
      {actions !== undefined && <div className="notice-actions">{actions}</div>}
    </div>
  );
}

/** Keeps positions across reloads of the page, such as `sessionStorage`. An error that it throws means "not saved". */
export interface PositionStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

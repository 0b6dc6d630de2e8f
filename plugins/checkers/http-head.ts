export interface HttpHead {
  readonly status: number;
  /** Of the header of that name. */
  readonly location: string | undefined;
}

const STATUS_LINE = /^HTTP\/\d(?:\.\d)? (\d{3})/;
/** What a status line and headers may take, in bytes. */
const LONGEST_HEAD = 65_536;

/** Undefined: more is needed. Throws where this is no answer. Only of redirections more than the first line is read. */
export function readHead(text: string): HttpHead | undefined {
  const lineEnd = text.indexOf("\n");
  if (lineEnd < 0) {
    if (text.length > LONGEST_HEAD || (text.length >= 5 && !text.startsWith("HTTP/"))) throw notHttp();
    return undefined;
  }
  const found = STATUS_LINE.exec(text);
  if (found === null) throw notHttp();
  const status = Number(found[1]);
  if (status >= 200 && (status < 300 || status >= 400)) return { status, location: undefined };
  const end = /\r?\n\r?\n/.exec(text);
  if (end === null) {
    if (text.length > LONGEST_HEAD) throw notHttp();
    return undefined;
  }
  // 100 Continue and its like only come before the answer.
  if (status < 200) return readHead(text.slice(end.index + end[0].length));
  const location = /\nlocation:[ \t]*([^\r\n]*)/i.exec(text.slice(0, end.index))?.[1]?.trim();
  return { status, location };
}

const notHttp = (): Error => new Error("the answer is not HTTP");

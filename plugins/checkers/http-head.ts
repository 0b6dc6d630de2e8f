export interface HttpHead {
  readonly status: number;
  /** Of the header of that name. */
  readonly location: string | undefined;
}

const STATUS_LINE = /^HTTP\/\d(?:\.\d)? (\d{3})/;
/** What a status line and headers may take, in bytes. */
const LONGEST_HEAD = 65_536;

/**
 * Undefined: more is needed. Throws where this is no answer, or none in all that an answer may take. Only of redirections more than the
 * first line is read.
 */
export function readHead(text: string): HttpHead | undefined {
  let rest = text;
  for (;;) {
    const found = readOne(rest);
    if (found === undefined) {
      if (text.length > LONGEST_HEAD) throw notHttp();
      return undefined;
    }
    // 100 Continue and its like only come before the answer.
    if (found.status >= 200) return found;
    rest = rest.slice(found.length);
  }
}

function readOne(text: string): (HttpHead & { readonly length: number }) | undefined {
  const lineEnd = text.indexOf("\n");
  if (lineEnd < 0) {
    if (text.length >= 5 && !text.startsWith("HTTP/")) throw notHttp();
    return undefined;
  }
  const status = Number(STATUS_LINE.exec(text)?.[1] ?? "0");
  if (status === 0) throw notHttp();
  if (status >= 200 && (status < 300 || status >= 400))
    return { status, location: undefined, length: lineEnd };
  const end = /\r?\n\r?\n/.exec(text);
  if (end === null) return undefined;
  const location = /\nlocation:[ \t]*([^\r\n]*)/i.exec(text.slice(0, end.index))?.[1]?.trim();
  return { status, location, length: end.index + end[0].length };
}

const notHttp = (): Error => new Error("the answer is not HTTP");

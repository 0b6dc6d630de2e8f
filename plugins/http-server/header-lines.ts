import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

/**
 * The headers of a request, by name in lower case. Of a header that came on several lines the last line counts, as in libprocess: there are
 * clients that say first what they always accept and then, on another line, what they want this time. Node keeps the first or joins them.
 */
export function headersOf({ headers, rawHeaders }: IncomingMessage): Readonly<IncomingHttpHeaders> {
  if (Object.keys(headers).length * 2 === rawHeaders.length) return headers;
  const last = new Map<string, string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    last.set(rawHeaders[at]!.toLowerCase(), rawHeaders[at + 1]!);
  }
  return Object.fromEntries(last);
}

/** One way in which a server says that it can be authenticated to (RFC 7235). */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** A scheme or a parameter; a scheme has no `=` behind it. */
const WORD = /\s*,*\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*(=)\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/y;

/** The challenges of `WWW-Authenticate`, in order. What cannot be read ends the list: it came from a stranger. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  WORD.lastIndex = 0;
  for (let match = WORD.exec(header); match !== null; match = WORD.exec(header)) {
    const [, word, equals, quoted, bare] = match;
    if (equals === undefined) challenges.push({ scheme: word!.toLowerCase(), parameters: new Map() });
    else {
      const value = quoted === undefined ? bare! : quoted.replace(/\\(.)/g, "$1");
      challenges.at(-1)?.parameters.set(word!.toLowerCase(), value);
    }
  }
  return challenges;
}

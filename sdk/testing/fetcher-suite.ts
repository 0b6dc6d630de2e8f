import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Fetcher, FetchRequest } from "../contracts/fetcher.js";
import { isTepuiError } from "../errors/index.js";
import type { SuiteCase } from "./suite-case.js";

export interface FetcherSubject {
  readonly fetcher: Fetcher;
  /** Makes the content available and returns its URI. */
  offer(content: Buffer): Promise<string>;
  /** The URI of something that is not there. */
  missing(): string;
  close(): Promise<void>;
}

export type MakeFetcher = () => Promise<FetcherSubject>;

const STALL_MS = 10_000;

/** What any Fetcher must do. Every case gets one of its own. */
export function fetcherSuite(make: MakeFetcher): SuiteCase[] {
  const test = (
    name: string,
    body: (subject: FetcherSubject, request: (uri: string) => FetchRequest) => Promise<void>,
  ): SuiteCase => ({
    name,
    run: async () => {
      const subject = await make();
      const folder = await mkdtemp(join(tmpdir(), "fetcher-suite-"));
      try {
        await body(subject, (uri) => ({
          uri,
          destination: join(folder, "fetched"),
          stallTimeout: STALL_MS,
          signal: new AbortController().signal,
        }));
      } finally {
        await subject.close();
        await rm(folder, { recursive: true, force: true });
      }
    },
  });
  const fetched = async (subject: FetcherSubject, request: FetchRequest): Promise<Buffer> => {
    await subject.fetcher.fetch(request);
    return readFile(request.destination);
  };
  return [
    test("brings the bytes as they are", async (subject, request) => {
      const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) % 256));
      assert.ok(content.equals(await fetched(subject, request(await subject.offer(content)))));
    }),
    test("brings an empty file", async (subject, request) => {
      assert.equal((await fetched(subject, request(await subject.offer(Buffer.alloc(0))))).length, 0);
    }),
    test("says which URI it could not fetch", async (subject, request) => {
      const uri = subject.missing();
      await assert.rejects(subject.fetcher.fetch(request(uri)), (error) => {
        assert.ok(isTepuiError(error), "it rejects with another error than a TepuiError");
        assert.equal(error.code, "TEPUI_FETCH_FAILED");
        assert.ok(error.message.includes(uri), `'${error.message}' does not name ${uri}`);
        return true;
      });
    }),
    test("does not go on when it is told to stop", async (subject, request) => {
      const uri = await subject.offer(Buffer.alloc(1024));
      await assert.rejects(subject.fetcher.fetch({ ...request(uri), signal: AbortSignal.abort() }));
    }),
  ];
}

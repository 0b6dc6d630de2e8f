import { expect } from "chai";
import { addOperatorRoutes } from "../../../plugins/master-endpoints/operator-routes.js";
import type { HttpReply, HttpRequest, HttpRoute, HttpServer } from "../../../sdk/contracts/http-server.js";
import type { OperatorService } from "../../../sdk/contracts/operator-service.js";
import { isTepuiError } from "../../../sdk/errors/index.js";

/** What `POST /teardown` does and answers. */
async function teardown(body: string, method = "POST") {
  const routes: HttpRoute[] = [];
  const tornDown: string[] = [];
  const service = {
    leadership: () => ({ role: "leading" }),
    teardown: (id: string) => tornDown.push(id),
  } as unknown as OperatorService;
  addOperatorRoutes({ route: (route: HttpRoute) => routes.push(route) } as unknown as HttpServer, service);
  let status: number | undefined;
  const answer = (code: number) => {
    status = code;
  };
  const reply = { send: answer, text: answer } as unknown as HttpReply;
  const request = { method, body: async () => Buffer.from(body), headers: {} } as unknown as HttpRequest;
  try {
    await routes.find(({ path }) => path === "/teardown")!.handle(request, reply);
  } catch (error) {
    if (!isTepuiError(error)) throw error;
    return { status: error.http, tornDown, text: error.detail };
  }
  return { status, tornDown };
}

describe("the operator's endpoints from before the v1 API", () => {
  it("end a framework by its id", async () => {
    expect(await teardown("frameworkId=f-0001")).to.deep.equal({ status: 200, tornDown: ["f-0001"] });
  });

  it("say what is missing, and do nothing by another method", async () => {
    expect(await teardown("framework=f")).to.deep.equal({
      status: 400,
      tornDown: [],
      text: "Missing 'frameworkId' query parameter in the request body",
    });
    expect(await teardown("frameworkId=f", "GET")).to.deep.equal({ status: 405, tornDown: [] });
  });
});

import { expect } from "chai";
import { AgentEndpoint } from "../../../plugins/agent-operator-http/agent-endpoint.js";
import { filesRoutes } from "../../../plugins/files-endpoint/routes.js";
import type { VirtualFiles } from "../../../plugins/files-endpoint/virtual-files.js";
import { Router } from "../../../plugins/http-server/router.js";
import { addRegistryRoutes } from "../../../plugins/master-endpoints/registry-routes.js";
import { OperatorEndpoint } from "../../../plugins/operator-http/operator-endpoint.js";
import type { OperatorApi } from "../../../plugins/operator-http/reads.js";
import type { HttpRoute, HttpServer } from "../../../sdk/contracts/http-server.js";
import type { MasterView } from "../../../sdk/contracts/master-view.js";
import type { Registry } from "../../../sdk/contracts/registry.js";

/** Paths that clients ask for, and the endpoint that answers for them at a Mesos. The first is pymesos's of its operator drivers. */
const LONGER: readonly (readonly [asked: string, answers: string])[] = [
  ["/api/v1/operator", "/api/v1"],
  ["/master/api/v1/operator", "/api/v1"],
  ["/files/browse/more", "/files/browse"],
  ["/registrar(1)/registry/more", "/registrar(1)/registry"],
];

describe("paths longer than an endpoint's", () => {
  const routerOf = (routes: readonly HttpRoute[]): Router => {
    const router = new Router("master");
    for (const route of routes) router.add(route);
    return router;
  };

  const registryRoutes = (): HttpRoute[] => {
    const routes: HttpRoute[] = [];
    const http = { route: (route: HttpRoute) => routes.push(route) } as unknown as HttpServer;
    addRegistryRoutes(http, { view: {} as MasterView, registry: {} as Registry });
    return routes;
  };

  it("are answered by that endpoint of a master", () => {
    const router = routerOf([
      new OperatorEndpoint({} as OperatorApi),
      ...filesRoutes({} as VirtualFiles, "mesos-master-readonly"),
      ...registryRoutes(),
    ]);
    for (const [asked, answers] of LONGER) {
      expect(router.find(asked)?.route.path, asked).to.equal(answers);
    }
  });

  it("are answered by the API of an agent", () => {
    const options = {} as ConstructorParameters<typeof AgentEndpoint>[0];
    expect(routerOf([new AgentEndpoint(options)]).find("/api/v1/operator")?.route.path).to.equal("/api/v1");
  });
});

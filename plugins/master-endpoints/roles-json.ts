import type { QuotaConfig } from "../../proto/gen/mesos/v1/quota/quota.js";
import type { MasterView, RoleRecord } from "../../sdk/contracts/master-view.js";
import {
  doubleJson,
  quantitiesJson,
  type ResourceEntry,
  type Resources,
  toMilli,
} from "../../sdk/resources/index.js";
import { ancestorsOf } from "../../sdk/roles/index.js";
import { memo, quote, stringsJson } from "../../sdk/v0-json/index.js";

/** Thousandths by resource name; what is zero is not shown. */
type Amounts = Map<string, number>;

class RoleFigures {
  readonly allocated: Amounts = new Map();
  readonly offered: Amounts = new Map();
  readonly reserved: Amounts = new Map();
  /** Reserved, and used by nobody. */
  readonly idle: Amounts = new Map();
}

/** GET /roles: every figure of a role includes those of the roles below it. */
export function rolesJson(view: MasterView): string {
  const roles = view.roles();
  const figures = new Map(roles.map(({ name }) => [name, new RoleFigures()]));
  for (const role of roles) {
    for (const name of [role.name, ...ancestorsOf(role.name)]) {
      const sums = figures.get(name);
      if (sums === undefined) continue;
      addAll(sums.allocated, role.allocated.entries);
      addAll(sums.offered, role.offered.entries);
      addAll(sums.reserved, role.reserved.entries);
    }
  }
  for (const agent of view.agents()) addIdle(figures, agent.total, agent.used);
  const texts = roles.map((role) => roleJson(role, figures.get(role.name) ?? new RoleFigures()));
  return `{"roles":[${texts.join(",")}]}`;
}

function roleJson({ name, weight, quota, frameworks }: RoleRecord, figures: RoleFigures): string {
  const { allocated, offered, reserved, idle } = figures;
  return (
    `{"name":${quote(name)},"weight":${doubleJson(weight)}` +
    `,"quota":{"role":${quote(name)},"guarantee":${amountsJson(quota?.guarantees)},"limit":${amountsJson(quota?.limits)},"consumed":${quantitiesJson(sum(allocated, idle))}}` +
    `,"resources":${quantitiesJson(sum(allocated, offered))},"allocated":${quantitiesJson(allocated)}` +
    `,"offered":${quantitiesJson(offered)},"reserved":${quantitiesJson(reserved)},"frameworks":${stringsJson(frameworks)}}`
  );
}

const amountsJson = (amounts: QuotaConfig["limits"] = {}): string =>
  quantitiesJson(new Map(Object.entries(amounts).map(([name, { value = 0 }]) => [name, toMilli(value)])));

/** What of an agent's reservations is not used counts as consumed quota, as if it were. */
function addIdle(figures: ReadonlyMap<string, RoleFigures>, total: Resources, used: Resources): void {
  for (const [role, reserved] of reservedByRole(total)) {
    const usedHere = reservedByRole(used).get(role);
    for (const [name, milli] of reserved) {
      const idle = milli - (usedHere?.get(name) ?? 0);
      if (idle <= 0) continue;
      for (const one of [role, ...ancestorsOf(role)]) {
        const sums = figures.get(one);
        if (sums !== undefined) sums.idle.set(name, (sums.idle.get(name) ?? 0) + idle);
      }
    }
  }
}

/** Few agents have any reservation. */
const reservedByRole = memo((resources: Resources): ReadonlyMap<string, Amounts> => {
  const roles = new Map<string, Amounts>();
  for (const entry of resources.entries) {
    const role = entry.kind.reservationRole;
    if (role === undefined) continue;
    const amounts = roles.get(role) ?? new Map<string, number>();
    add(amounts, entry);
    roles.set(role, amounts);
  }
  return roles;
});

function addAll(amounts: Amounts, entries: readonly ResourceEntry[]): void {
  for (const entry of entries) add(amounts, entry);
}

/** Ranges and sets count their members. */
function add(amounts: Amounts, { name, quantity }: ResourceEntry): void {
  amounts.set(name, (amounts.get(name) ?? 0) + quantity);
}

function sum(left: Amounts, right: Amounts): Amounts {
  const both = new Map(left);
  for (const [name, milli] of right) both.set(name, (both.get(name) ?? 0) + milli);
  return both;
}

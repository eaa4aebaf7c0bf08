/** What iam's operations and ports share: the dependencies, and the cache of identities' parsed policies. */
import type { Transaction } from "../../store/database.ts";
import type { IamDeps } from "./deps.ts";
import type { IdentityPolicies } from "./identity-policies.ts";

export interface IamState extends IamDeps {
  readonly policies: IdentityPolicies;
}

/** A transaction that changes what identities may do: what was parsed of them is forgotten once it is committed. */
export function change<T>(state: IamState, work: (tx: Transaction) => Promise<T>): Promise<T> {
  return state.database.tx(async (tx) => {
    tx.onCommit(() => state.policies.forget());
    return work(tx);
  });
}

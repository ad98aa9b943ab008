import type { Command, SubcommandRow } from "../command.ts";

/** Every subcommand of `touchmark admission`, in the order of help. One visible place; nothing registers itself. */
export const admissionTable: readonly SubcommandRow[] = [
  {
    name: "serve",
    summary: "answer webhooks of Kubernetes, Gatekeeper, and callers of the verdict API",
    load: () => import("./admission/serve.ts"),
  },
  {
    name: "manifests",
    summary: "print what registers the service with a cluster",
    load: () => import("./admission/manifests.ts"),
  },
  {
    name: "rescan",
    summary: "what runs and would no longer be admitted, and why",
    load: () => import("./admission/rescan.ts"),
  },
  {
    name: "break-glass",
    summary: "let a denied artifact run for a while: signed, logged, expiring, shown",
    load: () => import("./admission/break-glass.ts"),
  },
  {
    name: "status",
    summary: "policies in force, tenants, and permissions that let something pass",
    load: () => import("./admission/status.ts"),
  },
];

/** `touchmark admission`: the gate before a cluster. */
export const command: Command = {
  name: "admission",
  summary: "the deployment gate: serve it, look again at what runs, break-glass, status",
  description:
    "Asks the same policies with the same evidence as `touchmark admit`, for every workload that a cluster is about to accept, and again for what runs.",
  examples: [
    ["touchmark admission serve --listen 0.0.0.0:8443 --tls-name admission.internal", "with the factory's authority"],
    ["touchmark admission manifests --url https://admission.internal:8443 | kubectl apply -f -", "registers it"],
    ["kubectl get pods -A -o json | touchmark admission rescan --cluster -", "what would no longer be admitted"],
  ],
  subcommands: admissionTable,
  // A subcommand runs instead.
  run: async () => 2,
};

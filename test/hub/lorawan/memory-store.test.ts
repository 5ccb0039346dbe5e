import { createMemoryStore, type MemoryStore } from "./memory-store.ts";
import { describeStore } from "./store-contract.ts";

describeStore("in memory", () => {
  let store: MemoryStore = createMemoryStore();
  return {
    open: async () => store,
    async reopen() {
      store.crash();
      return store;
    },
    settleLazy: async () => store.flush(),
    async close() {
      store = createMemoryStore();
    },
  };
});

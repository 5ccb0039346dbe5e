/** Boards whose identity is on its way: written to the board perhaps, and not yet known to the hub. Kept in a file, so that
 *  running again goes on with the identity that a board has already. No key is in it, only the identity's hash. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { FileProblem, readPrivate, writePrivate } from "../keys.ts";

const FILE = "flash-pending.json";

interface PendingBoard {
  /** The board's unique id. */
  readonly serial: string;
  readonly devEui: string;
  readonly keyHash: string;
}

export interface PendingBoards {
  has(devEui: string, appKey: string): boolean;
  /** On stable storage when it returns. A board has one entry. */
  note(serial: string, devEui: string, appKey: string): void;
  settle(devEui: string): void;
}

/** Throws a FileProblem when the file is readable by others or broken. */
export function pendingBoards(dir: string): PendingBoards {
  const file = path.join(dir, FILE);
  const load = (): PendingBoard[] => {
    if (!existsSync(file)) return [];
    const list: unknown = JSON.parse(readPrivate(file));
    if (!Array.isArray(list)) throw new FileProblem(`${file}: not a list of boards; remove it`);
    return list as PendingBoard[];
  };
  const save = (boards: readonly PendingBoard[]) => {
    mkdirSync(dir, { recursive: true });
    writePrivate(file, `${JSON.stringify(boards, null, 2)}\n`);
  };
  return {
    has: (devEui, appKey) =>
      load().some((board) => board.devEui === devEui && board.keyHash === hashOf(appKey)),
    note(serial, devEui, appKey) {
      const others = load().filter((board) => board.serial !== serial && board.devEui !== devEui);
      save([...others, { serial, devEui, keyHash: hashOf(appKey) }]);
    },
    settle(devEui) {
      const boards = load();
      const others = boards.filter((board) => board.devEui !== devEui);
      if (others.length < boards.length) save(others);
    },
  };
}

function hashOf(appKey: string): string {
  return createHash("sha256").update(`tugma/flash/v1 ${appKey}`).digest("hex");
}

/** Espruino's Storage: named files in flash that is written once and erased as a whole. Contents are
 *  strings of bytes. A power cut in the middle of a write leaves what flash would hold: the old file
 *  removed, the new one blank or begun. */

export interface StorageFaults {
  /** No new file finds room. */
  readonly full?: boolean;
  /** Power goes in the middle of this many flash operations from now (0 = the next one): erasing or making
   *  a file is one, each byte is one. Once. */
  readonly cutAfter?: number;
}

export interface BoardStorage {
  read(name: string): string | undefined;
  /** As on the board: throws when there is no room, or when a byte was written before with another value. */
  write(name: string, data: string, offset?: number, size?: number): boolean;
  erase(name: string): void;
  list(): string[];
  /** Exchange it to break or mend the flash. */
  faults: StorageFaults;
  /** Called at the moment of a `cutAfter`. */
  onCut(listener: () => void): void;
  /** All files, to start another board with. */
  snapshot(): Record<string, string>;
}

const BLANK = "\xff";

/** A flash that holds these files. */
export function createBoardStorage(files: Readonly<Record<string, string>> = {}): BoardStorage {
  const flash = new Map(Object.entries(files));
  const listeners: (() => void)[] = [];
  const storage: BoardStorage = {
    faults: {},
    read: (name) => flash.get(name),
    erase: (name) => void flash.delete(name),
    list: () => [...flash.keys()],
    onCut: (listener) => void listeners.push(listener),
    snapshot: () => Object.fromEntries(flash),
    write(name, data, offset = 0, size = data.length) {
      if (data === "" || offset < 0) throw new Error("Can't create zero length file");
      if (offset === 0 && flash.get(name) === data) return true;
      makeRoom(name, offset, size || data.length);
      const file = flash.get(name) ?? "";
      if (offset + data.length > file.length) throw new Error("Too much data for file size");
      if (file.slice(offset, offset + data.length) !== BLANK.repeat(data.length))
        throw new Error("File already written with different data");
      for (let i = 0; i < data.length; i++) program(name, offset + i, data.charCodeAt(i));
      return true;
    },
  };

  /** One flash operation, or the end of power in the middle of it. */
  const operate = (whole: () => void, torn: () => void) => {
    const { cutAfter, ...others } = storage.faults;
    if (cutAfter === undefined) return whole();
    storage.faults = cutAfter > 0 ? { ...others, cutAfter: cutAfter - 1 } : others;
    if (cutAfter > 0) return whole();
    torn();
    for (const listener of listeners) listener();
    throw new Error("power cut");
  };
  const program = (name: string, at: number, byte: number) => {
    const file = flash.get(name) ?? "";
    const put = (value: number) =>
      flash.set(name, file.slice(0, at) + String.fromCharCode(value) + file.slice(at + 1));
    // flash clears bits one by one; a byte cut short keeps some of them set
    operate(
      () => put(byte),
      () => put(byte | 0x0f),
    );
  };
  const makeRoom = (name: string, offset: number, size: number) => {
    const file = flash.get(name);
    const isAsWanted =
      file !== undefined && (offset > 0 || (file.length === size && file === BLANK.repeat(size)));
    if (isAsWanted) return;
    if (offset > 0 || storage.faults.full) throw new Error("Unable to find or create file");
    if (file !== undefined)
      operate(
        () => flash.delete(name),
        () => flash.delete(name),
      );
    operate(
      () => flash.set(name, BLANK.repeat(size)),
      () => {},
    );
  };
  return storage;
}

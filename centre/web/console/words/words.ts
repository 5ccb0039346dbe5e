/** The words on the screen, switched live. The language is kept in this browser. */
import { computed, signal } from "@preact/signals";
import { en } from "./en.ts";
import { ru } from "./ru.ts";
import type { Words } from "./shape.ts";
import { uz } from "./uz.ts";

export const LANGUAGES = { uz, ru, en } as const satisfies Record<string, Words>;
export type Language = keyof typeof LANGUAGES;

const KEPT_AS = "tugma.language";

function initial(): Language {
  const wished = [localStorage.getItem(KEPT_AS), ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return wished.find((tag): tag is Language => tag !== null && tag in LANGUAGES) ?? "uz";
}

export const language = signal<Language>(initial());

/** The dictionary in use: read `words.value` inside a component and it follows the language. */
export const words = computed<Words>(() => LANGUAGES[language.value]);

export function setLanguage(next: Language): void {
  language.value = next;
  localStorage.setItem(KEPT_AS, next);
  document.documentElement.lang = next;
}

/** The words of the entrance page. A missing entry does not compile. */
import { computed, signal } from "@preact/signals";
import type { StripStep } from "../entrance-site.ts";
import type { LampWord } from "./lamp-reader.ts";

interface Words {
  readonly title: string;
  readonly how: string;
  readonly press: string;
  readonly lamp: Readonly<Record<LampWord, readonly [meaning: string, look: string]>>;
  readonly strip: Readonly<Record<StripStep, string>>;
  readonly stripTitle: (name: string) => string;
  readonly stripEmpty: string;
  readonly centre: string;
  readonly gateway: string;
  readonly mains: string;
  readonly off: string;
  readonly lost: string;
}

const uz: Words = {
  title: "Kirish eshigidagi tugma",
  how: "Qizil tugmani bosib turing: sichqoncha, barmoq yoki bo‘shliq klavishi bilan.",
  press: "tashvish tugmasi",
  lamp: {
    off: ["Tinch", "chiroq o‘chiq"],
    blink: ["Ishlayapti", "bitta qisqa yashil"],
    sending: ["Yuborilmoqda", "tez miltillovchi sariq"],
    stored: ["Hab saqladi", "doimiy sariq"],
    received: ["Markaz qabul qildi", "doimiy yashil"],
    taken: ["Operator qabul qildi", "sekin yashil"],
    dispatched: ["Guruh yo‘lda", "qo‘sh yashil"],
    notDelivered: ["Hali yetkazilmadi", "uch karra qizil va ovoz, urinilmoqda"],
  },
  strip: {
    air: "efirda",
    gateway: "shlyuz",
    disk: "hab diski",
    seal: "markaz muhri",
    operator: "operator",
    team: "guruh yo‘lda",
    closed: "yopildi",
  },
  stripTitle: (name) => `Bitta bosishning yo‘li: ${name}`,
  stripEmpty: "Tugmani bosing va xabar yo‘lini kuzating.",
  centre: "markaz bilan aloqa",
  gateway: "shlyuz",
  mains: "tok",
  off: "uzilgan",
  lost: "Namoyish bilan aloqa yo‘q. Qayta urinilmoqda …",
};

const ru: Words = {
  title: "Кнопка у подъезда",
  how: "Нажмите и держите красную кнопку: мышью, пальцем или пробелом.",
  press: "тревожная кнопка",
  lamp: {
    off: ["Спокойно", "лампа не горит"],
    blink: ["Работает", "одна короткая зелёная вспышка"],
    sending: ["Отправляется", "частый жёлтый"],
    stored: ["Хаб записал", "ровный жёлтый"],
    received: ["Центр принял", "ровный зелёный"],
    taken: ["Оператор взял в работу", "медленный зелёный"],
    dispatched: ["Группа выехала", "двойной зелёный"],
    notDelivered: ["Ещё не доставлено", "тройной красный и звук, пробуем"],
  },
  strip: {
    air: "в эфире",
    gateway: "шлюз",
    disk: "диск хаба",
    seal: "печать центра",
    operator: "оператор",
    team: "группа выехала",
    closed: "закрыто",
  },
  stripTitle: (name) => `Путь одного нажатия: ${name}`,
  stripEmpty: "Нажмите кнопку и следите за путём сообщения.",
  centre: "связь с центром",
  gateway: "шлюз",
  mains: "питание",
  off: "нет",
  lost: "Нет связи с демонстрацией. Пробуем снова …",
};

const en: Words = {
  title: "The button at the entrance",
  how: "Press and hold the red button: with the mouse, a finger or the space bar.",
  press: "panic button",
  lamp: {
    off: ["Quiet", "lamp off"],
    blink: ["At work", "one short green"],
    sending: ["Sending", "fast amber"],
    stored: ["The hub has stored it", "steady amber"],
    received: ["The centre has it", "steady green"],
    taken: ["An operator has taken it", "slow green"],
    dispatched: ["A team is on its way", "double green"],
    notDelivered: ["Not delivered yet", "triple red and buzzer, still trying"],
  },
  strip: {
    air: "in the air",
    gateway: "gateway",
    disk: "hub's disk",
    seal: "centre's seal",
    operator: "operator",
    team: "team on its way",
    closed: "closed",
  },
  stripTitle: (name) => `The road of one press: ${name}`,
  stripEmpty: "Press a button and watch its message travel.",
  centre: "link to the centre",
  gateway: "gateway",
  mains: "mains",
  off: "off",
  lost: "No link to the demo. Trying again …",
};

export const LANGUAGES = { uz, ru, en } as const;
export type Language = keyof typeof LANGUAGES;
export const LOCALES: Record<Language, string> = { uz: "uz-Latn-UZ", ru: "ru-RU", en: "en-GB" };

const KEPT_AS = "tugma.language";

function initial(): Language {
  const wished = [localStorage.getItem(KEPT_AS), ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return wished.find((tag): tag is Language => tag !== null && tag in LANGUAGES) ?? "uz";
}

export const language = signal<Language>(initial());
export const words = computed<Words>(() => LANGUAGES[language.value]);

export function setLanguage(next: Language): void {
  language.value = next;
  localStorage.setItem(KEPT_AS, next);
  document.documentElement.lang = next;
  document.title = LANGUAGES[next].title;
}

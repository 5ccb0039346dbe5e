/** The words of the entrance page. A missing entry does not compile. */
import { computed, signal } from "@preact/signals";
import type { SensorRole, SensorWord, StripStep } from "../entrance-site.ts";
import type { LampWord } from "./lamp-reader.ts";

interface Words {
  readonly title: string;
  readonly how: string;
  readonly press: string;
  readonly lamp: Readonly<Record<LampWord, readonly [meaning: string, look: string]>>;
  readonly strip: Readonly<Record<StripStep, string>>;
  readonly stripTitle: (name: string) => string;
  /** The first two steps of a road that begins on the wire. */
  readonly wireStrip: Readonly<Partial<Record<StripStep, string>>>;
  readonly wired: string;
  readonly alarmTitle: (place: string, sensor: string) => string;
  readonly stripEmpty: string;
  readonly sensor: Readonly<Record<SensorRole, string>>;
  readonly sensorWord: Readonly<Record<SensorWord, string>>;
  readonly redOn: string;
  readonly redOff: string;
  readonly sounder: string;
  readonly airNow: string;
  readonly smokeNow: string;
  /** Unit of obscuration. */
  readonly perMetre: string;
  readonly rises: string;
  readonly kelvinPerMinute: (value: number) => string;
  readonly thickens: string;
  readonly smokePerMinute: (value: number) => string;
  readonly putOut: string;
  readonly patience: string;
  readonly toRoom: string;
  readonly toEntrances: string;
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
  wireStrip: { air: "simda", gateway: "shina adapteri" },
  wired: "sim, RS-485",
  alarmTitle: (place, sensor) => `Bitta signalning yo‘li: ${place}, ${sensor}`,
  stripEmpty: "Tugmani bosing va xabar yo‘lini kuzating.",
  sensor: { "smoke-sensor": "Tutun datchigi", "heat-sensor": "Harorat datchigi" },
  sensorWord: { quiet: "Tinch", fault: "Nosozlik", preAlarm: "Dastlabki ogohlantirish", alarm: "YONG‘IN" },
  redOn: "qizil chiroq yoniq",
  redOff: "chiroq o‘chiq",
  sounder: "ovoz",
  airNow: "Havo",
  smokeNow: "Tutun",
  perMetre: "%/m",
  rises: "Harorat ko‘tariladi:",
  kelvinPerMinute: (value) => `${value} K/daq`,
  thickens: "Tutun quyuqlashadi:",
  smokePerMinute: (value) => `${value} %/m daqiqada`,
  putOut: "Olovni o‘chirish",
  patience:
    "Harorat datchigi standart talabicha shoshilmaydi: 10 K/daq da signalgacha ikki-uch daqiqa, 30 K/daq da bir daqiqacha. Raqamlarni kuzating.",
  toRoom: "Do‘kondagi yong‘in",
  toEntrances: "Kirishlar",
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
  wireStrip: { air: "на проводе", gateway: "адаптер шины" },
  wired: "провод, RS-485",
  alarmTitle: (place, sensor) => `Путь одной тревоги: ${place}, ${sensor}`,
  stripEmpty: "Нажмите кнопку и следите за путём сообщения.",
  sensor: { "smoke-sensor": "Датчик дыма", "heat-sensor": "Датчик тепла" },
  sensorWord: { quiet: "Спокойно", fault: "Неисправность", preAlarm: "Предтревога", alarm: "ПОЖАР" },
  redOn: "горит красная лампа",
  redOff: "лампа не горит",
  sounder: "звук",
  airNow: "Воздух",
  smokeNow: "Дым",
  perMetre: "%/м",
  rises: "Температура растёт:",
  kelvinPerMinute: (value) => `${value} К/мин`,
  thickens: "Дым густеет:",
  smokePerMinute: (value) => `${value} %/м в минуту`,
  putOut: "Потушить пожар",
  patience:
    "Датчик тепла по стандарту не спешит: при 10 К/мин до тревоги две-три минуты, при 30 К/мин около одной. Следите за числами.",
  toRoom: "Пожар в магазине",
  toEntrances: "Подъезды",
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
  wireStrip: { air: "on the wire", gateway: "bus adapter" },
  wired: "wire, RS-485",
  alarmTitle: (place, sensor) => `The road of one alarm: ${place}, ${sensor}`,
  stripEmpty: "Press a button and watch its message travel.",
  sensor: { "smoke-sensor": "Smoke sensor", "heat-sensor": "Heat sensor" },
  sensorWord: { quiet: "Quiet", fault: "Fault", preAlarm: "Pre-alarm", alarm: "FIRE" },
  redOn: "red light on",
  redOff: "light off",
  sounder: "sounder",
  airNow: "Air",
  smokeNow: "Smoke",
  perMetre: "%/m",
  rises: "Temperature rises:",
  kelvinPerMinute: (value) => `${value} K/min`,
  thickens: "Smoke thickens:",
  smokePerMinute: (value) => `${value} %/m per minute`,
  putOut: "Put the fire out",
  patience:
    "A heat sensor takes its time, as its standard asks: at 10 K/min two to three minutes to its alarm, at 30 K/min about one. Watch the numbers.",
  toRoom: "Fire in the shop",
  toEntrances: "Entrances",
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

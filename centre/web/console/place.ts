/** A place as one line: the part a team finds first comes first. */
export function placeText(place: { readonly site: string; readonly zone: string }): string {
  return [place.site, place.zone].filter(Boolean).join(" · ");
}

/** "14-uy" on one line: the hyphen of a house number is no place to break. */
export function unbroken(text: string): string {
  return text.replace(/(\d)-(?=\p{L})/gu, "$1\u2011");
}

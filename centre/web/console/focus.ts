/** For `ref`: the browser honours `autofocus` only while it loads a page, and our views come later. */
export function focusOnMount(element: HTMLElement | null): void {
  element?.focus();
}

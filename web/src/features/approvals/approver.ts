// The browser keeps who said something last, so that nobody says it twice.
const key = 'millrace.approver'

export const lastApprover = () => localStorage.getItem(key) ?? ''

export function keepApprover(name: string): void {
  localStorage.setItem(key, name)
}

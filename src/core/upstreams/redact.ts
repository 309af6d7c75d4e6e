/** Takes user names and passwords out of every URL in a text; `git@host` of ssh is no secret and stays. */
export function redact(text: string): string {
  return text
    .replace(/\b(https?|ftps?):\/\/[^/\s@'"]*@/gi, '$1://')
    .replace(/\b([a-z+]+):\/\/([^/\s:@'"]*):[^/\s@'"]*@/gi, '$1://$2@');
}

// Lists of messages that stay as they are: the archive of a day, decisions, quotations. Their times
// are the reader's, with the day where that is not the one of the page.
import { localise } from './log.js';

for (const log of document.querySelectorAll('.log.is-still')) {
  for (const message of log.querySelectorAll('.msg')) {
    const time = message.querySelector('.msg-time time');
    if (!time) continue;
    const at = new Date(time.dateTime);
    const here = `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, '0')}-${String(at.getDate()).padStart(2, '0')}`;
    localise(message, at, log.dataset.day !== here);
  }
}

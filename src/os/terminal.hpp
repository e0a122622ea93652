#pragma once

namespace pw {

/// Whether this process has a controlling terminal (tty(4)): then Ctrl-C, Ctrl-Z and fg are the
/// terminal's business, and the trainer stays in our process group. stdin alone does not tell.
bool has_controlling_terminal();

}  // namespace pw

#include "core/verdict.hpp"

namespace pw {

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::relayed: return "relayed";
    case Verdict::advice: return "advice";
    case Verdict::covered: return "covered";
    case Verdict::dropped: return "dropped";
    case Verdict::forestalled: return "forestalled";
    case Verdict::too_late: return "too-late";
    case Verdict::passed: return "passed";
    case Verdict::kept: return "kept";
    case Verdict::typed: return "typed";
    case Verdict::ignored: return "ignored";
  }
  return "";
}

}  // namespace pw

#include "contract/formats.h"

#include <arpa/inet.h>

#include <array>
#include <cctype>

#include "base/text.h"
#include "contract/ecma_regex.h"
#include "contract/schema_uri.h"

namespace wave::contract {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_hex(char c) {
  return std::isxdigit(static_cast<unsigned char>(c)) != 0;
}
bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
}

/// Takes exactly `count` digits off the front; -1 when they are not there.
int take_number(std::string_view& text, size_t count) {
  if (text.size() < count) return -1;
  int value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!is_digit(text[i])) return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// --- Dates and times: RFC 3339, section 5.6 and appendix A. ---

int days_in_month(int year, int month) {
  constexpr std::array kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[static_cast<size_t>(month - 1)];
}

bool is_date(std::string_view text) {
  const int year = take_number(text, 4);
  if (year < 0 || !take(text, '-')) return false;
  const int month = take_number(text, 2);
  if (month < 1 || month > 12 || !take(text, '-')) return false;
  const int day = take_number(text, 2);
  return day >= 1 && day <= days_in_month(year, month) && text.empty();
}

/// The offset in minutes.
std::optional<int> take_offset(std::string_view& text) {
  if (take(text, 'Z') || take(text, 'z')) return 0;
  const bool negative = !text.empty() && text.front() == '-';
  if (!take(text, '+') && !take(text, '-')) return std::nullopt;
  const int hours = take_number(text, 2);
  if (hours < 0 || hours > 23 || !take(text, ':')) return std::nullopt;
  const int minutes = take_number(text, 2);
  if (minutes < 0 || minutes > 59) return std::nullopt;
  const int offset = hours * 60 + minutes;
  return negative ? -offset : offset;
}

bool is_time(std::string_view text) {
  const int hour = take_number(text, 2);
  if (hour < 0 || hour > 23 || !take(text, ':')) return false;
  const int minute = take_number(text, 2);
  if (minute < 0 || minute > 59 || !take(text, ':')) return false;
  const int second = take_number(text, 2);
  if (second < 0 || second > 60) return false;
  if (take(text, '.')) {
    if (take_number(text, 1) < 0) return false;
    while (take_number(text, 1) >= 0) {
    }
  }
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return false;
  // A leap second is the last one of a day in UTC.
  constexpr int kDay = 24 * 60;
  return second < 60 || ((hour * 60 + minute - *offset) % kDay + kDay) % kDay == kDay - 1;
}

bool is_date_time(std::string_view text) {
  if (text.size() < 11 || (text[10] != 'T' && text[10] != 't')) return false;
  return is_date(text.substr(0, 10)) && is_time(text.substr(11));
}

/// Takes numbers with the units of `units`, in that order; an RFC 3339 duration has no gap in them.
bool take_units(std::string_view& text, std::string_view units, bool& any) {
  size_t next = 0;
  bool first = true;
  while (!text.empty() && is_digit(text.front())) {
    while (take_number(text, 1) >= 0) {
    }
    const size_t unit = text.empty() ? std::string_view::npos : units.find(text.front(), next);
    if (unit == std::string_view::npos || (!first && unit != next)) return false;
    text.remove_prefix(1);
    next = unit + 1;
    first = false;
    any = true;
  }
  return true;
}

bool is_duration(std::string_view text) {
  if (!take(text, 'P') || text.empty()) return false;
  if (text.back() == 'W') {
    text.remove_suffix(1);
    return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
  }
  bool any = false;
  if (!take_units(text, "YMD", any)) return false;
  if (text.empty()) return any;
  bool any_time = false;
  return take(text, 'T') && take_units(text, "HMS", any_time) && any_time && text.empty();
}

// --- Names and addresses. ---

// RFC 1123, section 2.1; a label "xn--" is checked as ASCII only.
bool is_hostname(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  for (const std::string& label : split(text, '.')) {
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') {
      return false;
    }
    if (!std::all_of(label.begin(), label.end(),
                     [](char c) { return is_alpha(c) || is_digit(c) || c == '-'; })) {
      return false;
    }
    if (label.size() >= 4 && label.substr(2, 2) == "--" && !to_lower(label).starts_with("xn--")) {
      return false;
    }
  }
  return true;
}

bool is_ipv4(std::string_view text) {
  const std::vector<std::string> parts = split(text, '.');
  return parts.size() == 4 && std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
           return !part.empty() && part.size() <= 3 &&
                  std::all_of(part.begin(), part.end(), is_digit) &&
                  (part.size() == 1 || part[0] != '0') && std::stoi(part) <= 255;
         });
}

bool is_ipv6(std::string_view text) {
  std::array<unsigned char, 16> address{};
  return text.find('\0') == std::string_view::npos && text.size() < 64 &&
         inet_pton(AF_INET6, std::string(text).c_str(), address.data()) == 1;
}

bool is_local_part(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    const std::string_view inside = text.substr(1, text.size() - 2);
    for (size_t i = 0; i < inside.size(); ++i) {
      if (inside[i] == '"') return false;
      if (inside[i] == '\\' && ++i == inside.size()) return false;
    }
    return true;
  }
  if (text.empty() || text.front() == '.' || text.back() == '.') return false;
  if (text.find("..") != std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c & 0x80) != 0 || is_alpha(c) || is_digit(c) ||
           std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos;
  });
}

bool is_mail_domain(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    const std::string_view literal = text.substr(1, text.size() - 2);
    return literal.starts_with("IPv6:") ? is_ipv6(literal.substr(5)) : is_ipv4(literal);
  }
  return is_hostname(text);
}

// RFC 5321, section 4.1.2.
bool is_email(std::string_view text) {
  const size_t at = text.rfind('@');
  return at != std::string_view::npos && is_ascii(text) && is_local_part(text.substr(0, at)) &&
         is_mail_domain(text.substr(at + 1));
}

// RFC 5890 to 5892 need tables of Unicode that are not here: labels are checked for length, hyphens
// and separators, not for the code points that IDNA forbids.
bool is_idn_hostname(std::string_view text) {
  std::string with_dots = replace_all(std::string(text), "\u3002", ".");
  for (std::string_view dot : {"\uff0e", "\uff61"}) {
    with_dots = replace_all(std::move(with_dots), dot, ".");
  }
  if (is_ascii(with_dots)) return is_hostname(with_dots);
  for (const std::string& label : split(with_dots, '.')) {
    if (label.empty() || label.size() > 252 || label.front() == '-' || label.back() == '-') {
      return false;
    }
    for (const char c : label) {
      if ((c & 0x80) == 0 && !is_alpha(c) && !is_digit(c) && c != '-') return false;
    }
  }
  return true;
}

bool is_idn_email(std::string_view text) {
  const size_t at = text.rfind('@');
  return at != std::string_view::npos && is_local_part(text.substr(0, at)) &&
         (is_mail_domain(text.substr(at + 1)) || is_idn_hostname(text.substr(at + 1)));
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

// --- URIs: RFC 3986; IRIs: RFC 3987. ---

constexpr std::string_view kUnreserved = "-._~";
constexpr std::string_view kSubDelimiters = "!$&'()*+,;=";

bool has_only(std::string_view text, std::string_view extra, bool international) {
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
      i += 2;
      continue;
    }
    if ((c & 0x80) != 0) {
      if (!international) return false;
      continue;
    }
    const bool known =
        is_alpha(c) || is_digit(c) || kUnreserved.find(c) != std::string_view::npos ||
        kSubDelimiters.find(c) != std::string_view::npos || extra.find(c) != std::string_view::npos;
    if (!known) return false;
  }
  return true;
}

bool is_ip_future(std::string_view text) {
  const size_t dot = text.find('.');
  return dot != std::string_view::npos && dot > 1 && dot + 1 < text.size() &&
         std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(dot), is_hex) &&
         has_only(text.substr(dot + 1), ":", false);
}

bool is_authority(std::string_view text, bool international) {
  if (const size_t at = text.find('@'); at != std::string_view::npos) {
    if (!has_only(text.substr(0, at), ":", international)) return false;
    text.remove_prefix(at + 1);
  }
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    const std::string_view literal = text.substr(1, close - 1);
    if (literal.starts_with('v') || literal.starts_with('V') ? !is_ip_future(literal)
                                                             : !is_ipv6(literal))
      return false;
    text.remove_prefix(close + 1);
    if (!text.empty() && !take(text, ':')) return false;
    return std::all_of(text.begin(), text.end(), is_digit);
  }
  const size_t colon = text.find(':');
  if (!has_only(text.substr(0, colon), "", international)) return false;
  const std::string_view port =
      colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  return std::all_of(port.begin(), port.end(), is_digit);
}

bool is_reference(std::string_view text, bool international) {
  const UriParts parts = parse_uri(text);
  if (parts.has_authority && !is_authority(parts.authority, international)) return false;
  // Without a scheme the first segment of a path must not look like one.
  if (parts.scheme.empty() && !parts.has_authority) {
    const std::string first = parts.path.substr(0, parts.path.find('/'));
    if (first.find(':') != std::string::npos) return false;
  }
  return has_only(parts.path, ":@/", international) &&
         has_only(parts.query, ":@/?", international) &&
         has_only(parts.fragment, ":@/?", international);
}

bool is_uri_reference(std::string_view text) {
  return is_reference(text, false);
}
bool is_iri_reference(std::string_view text) {
  return is_reference(text, true);
}
bool is_uri(std::string_view text) {
  return !parse_uri(text).scheme.empty() && is_uri_reference(text);
}
bool is_iri(std::string_view text) {
  return !parse_uri(text).scheme.empty() && is_iri_reference(text);
}

// RFC 6570, section 2.3: one name with its modifier.
bool is_variable(std::string_view text) {
  if (text.ends_with('*')) {
    text.remove_suffix(1);
  } else if (const size_t colon = text.find(':'); colon != std::string_view::npos) {
    const std::string_view length = text.substr(colon + 1);
    if (length.empty() || length.size() > 4 || length[0] == '0') return false;
    if (!std::all_of(length.begin(), length.end(), is_digit)) return false;
    text = text.substr(0, colon);
  }
  if (text.empty() || text.front() == '.' || text.back() == '.') return false;
  if (text.find("..") != std::string_view::npos) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
      i += 2;
    } else if (!is_alpha(text[i]) && !is_digit(text[i]) && text[i] != '_' && text[i] != '.') {
      return false;
    }
  }
  return true;
}

bool is_expression(std::string_view text) {
  if (text.empty()) return false;
  if (std::string_view("+#./;?&=,!@|").find(text.front()) != std::string_view::npos) {
    text.remove_prefix(1);
  }
  const std::vector<std::string> variables = split(text, ',');
  return std::all_of(variables.begin(), variables.end(),
                     [](const std::string& variable) { return is_variable(variable); });
}

bool is_uri_template(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '}' || static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) return false;
    if (std::string_view("\"<>\\^`|").find(c) != std::string_view::npos) return false;
    if (c == '%' && (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2]))) {
      return false;
    }
    if (c != '{') continue;
    const size_t close = text.find('}', i);
    if (close == std::string_view::npos || !is_expression(text.substr(i + 1, close - i - 1))) {
      return false;
    }
    i = close;
  }
  return true;
}

// --- JSON pointers: RFC 6901, and the draft of relative ones. ---

bool is_json_pointer(std::string_view text) {
  return parse_json_pointer(text).has_value();
}

bool is_relative_json_pointer(std::string_view text) {
  size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  if (digits == 0 || (digits > 1 && text[0] == '0')) return false;
  const std::string_view rest = text.substr(digits);
  return rest == "#" || is_json_pointer(rest);
}

bool is_regex(std::string_view text) {
  return EcmaRegex::compile(text).has_value();
}

struct FormatRow {
  std::string_view name;
  FormatCheck check;
};
constexpr std::array kFormats{
    FormatRow{"date", is_date},
    FormatRow{"date-time", is_date_time},
    FormatRow{"duration", is_duration},
    FormatRow{"email", is_email},
    FormatRow{"hostname", is_hostname},
    FormatRow{"idn-email", is_idn_email},
    FormatRow{"idn-hostname", is_idn_hostname},
    FormatRow{"ipv4", is_ipv4},
    FormatRow{"ipv6", is_ipv6},
    FormatRow{"iri", is_iri},
    FormatRow{"iri-reference", is_iri_reference},
    FormatRow{"json-pointer", is_json_pointer},
    FormatRow{"regex", is_regex},
    FormatRow{"relative-json-pointer", is_relative_json_pointer},
    FormatRow{"time", is_time},
    FormatRow{"uri", is_uri},
    FormatRow{"uri-reference", is_uri_reference},
    FormatRow{"uri-template", is_uri_template},
    FormatRow{"uuid", is_uuid},
};

}  // namespace

FormatCheck find_format(std::string_view name) {
  for (const FormatRow& row : kFormats) {
    if (row.name == name) return row.check;
  }
  return nullptr;
}

}  // namespace wave::contract

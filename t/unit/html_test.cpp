#include "oidc/html.h"

#include <gtest/gtest.h>

namespace oidc {
namespace {

TEST(HtmlEscape, EscapesWhatEndsATextOrAnAttribute) {
  EXPECT_EQ(html_escape("<a href=\"x\" title='y'>&amp;</a>"),
            "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;");
}

TEST(HtmlEscape, LeavesTheRest) {
  EXPECT_EQ(html_escape(""), "");
  EXPECT_EQ(html_escape("plain \xc3\xa4 `text`=/\n"), "plain \xc3\xa4 `text`=/\n");
}

}  // namespace
}  // namespace oidc

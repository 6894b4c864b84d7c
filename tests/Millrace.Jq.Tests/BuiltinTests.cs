namespace Millrace.Jq.Tests;

/// <summary>Behaviour that the public suites leave open, as jq has it.</summary>
public class BuiltinTests
{
    [Theory]
    [InlineData("[match(\"b\"; \"gi\").offset]", "\"aBxb\"", "[1,3]")]
    [InlineData("[match(\"\"; \"g\").offset]", "\"abc\"", "[0,1,2,3]")]
    [InlineData("[match(\"(?<x>t)|(e)\"; \"g\") | .captures | map([.offset, .length, .string, .name])]", "\"te\"", "[[[0,1,\"t\",\"x\"],[-1,0,null,null]],[[-1,0,null,\"x\"],[1,1,\"e\",null]]]")]
    [InlineData("[test(\"^b\"), test(\"a$\"), test(\"(?m)^b\"), test(\"a.b\"), test(\"a.b\"; \"m\"), test(\"a b\"; \"x\")]", "\"a\\nb\"", "[false,false,true,false,true,false]")]
    [InlineData("[match(\".\"; \"g\").length]", "\"a😀é\"", "[1,1,1]")]
    [InlineData("[match(\"[^a]\"; \"g\").string]", "\"a😀é\"", "[\"😀\",\"é\"]")]
    [InlineData("[match(\"[😀-😎]\"; \"g\").offset]", "\"a😀b😅\"", "[1,3]")]
    [InlineData("[match(\"\\\\h+\").string, match(\"[[:alpha:]]+$\").string, match(\"\\\\p{Lu}\").string]", "\"12fG xyz\"", "[\"12f\",\"xyz\",\"G\"]")]
    [InlineData("[test(\"a++a\"), test(\"(?>a+)b\"), test(\"^(?:a{,2})b\")]", "\"aab\"", "[false,true,true]")]
    [InlineData("[match(\"(a)(?<n>b)\\\\1\\\\k<n>\").string]", "\"abab\"", "[\"abab\"]")]
    [InlineData("[match(\"a*\"; \"gn\").string]", "\"baac\"", "[\"aa\"]")]
    [InlineData("[match([\"B\", \"i\"]).string, test([\"b\"])]", "\"abc\"", "[\"b\",true]")]
    [InlineData("capture(\"(?<y>\\\\d+)-(?<m>\\\\d+)\")", "\"2024-05\"", "{\"y\":\"2024\",\"m\":\"05\"}")]
    [InlineData("[sub(\"(?<x>b)\"; \"\\(.x)1\", \"\\(.x)2\")]", "\"abc\"", "[\"ab1c\",\"ab2c\"]")]
    [InlineData("gsub(\"\"; \"-\"), gsub(\"^\"; \"-\"), gsub(\"(?<c>[a-c])\"; \"<\\(.c)>\")", "\"abz\"", "\"-a-b-z-\"\n\"-abz\"\n\"<a><b>z\"")]
    [InlineData("gsub(\"😀\"; \"é\")", "\"x😀y😀\"", "\"xéyé\"")]
    [InlineData("[splits(\", *\"; null)], split(\"a+\"; \"g\"), [scan(\"[a-z]\")], [scan(\"(.)x\")]", "\"ax, bx\"", "[\"ax\",\"bx\"]\n[\"\",\"x, bx\"]\n[\"a\",\"x\",\"b\",\"x\"]\n[[\"a\"],[\"b\"]]")]
    [InlineData("try test(\"(\") catch (.[:14])", "\"a\"", "\"Regex failure:\"")]
    [InlineData("try test(\"a\"; \"q\") catch .", "\"a\"", "\"q is not a valid modifier string\"")]
    public void Regular_expressions_work_on_code_points(string filter, string input, string expected) => Assert.Equal(expected, Run.Text(filter, input));

    [Theory]
    [InlineData("strftime(\"%a %b %e %j %U %W %V %G %g %u %w %y %C %D %F %T %R %r %p %I %l %k %h%%%Z %z %s %c\")", "1425599621", "\"Thu Mar  5 064 09 09 10 2015 15 4 4 15 20 03/05/15 2015-03-05 23:53:41 23:53 11:53:41 PM PM 11 11 23 Mar%UTC +0000 1425599621 Thu Mar  5 23:53:41 2015\"")]
    [InlineData("todate, (todate | fromdate), dateadd(\"seconds\"; 10)", "1425599621", "\"2015-03-05T23:53:41Z\"\n1425599621\n1425599631")]
    [InlineData("gmtime, (gmtime | mktime)", "-1.5", "[1969,11,31,23,59,58.5,3,364]\n-2")]
    [InlineData("strptime(\"%a, %d %b %Y %H:%M:%S %z\") | mktime", "\"Thu, 05 Mar 2015 23:51:47 +0100\"", "1425599507")]
    [InlineData("strptime(\"%d/%m/%y %I:%M %p\")", "\"29/02/24 12:30 AM\"", "[2024,1,29,0,30,0,4,59]")]
    [InlineData("strptime(\"%s\") | mktime", "\"1425599507\"", "1425599507")]
    [InlineData("try strptime(\"%Y\") catch .", "\"x\"", "\"date \\\"x\\\" does not match format \\\"%Y\\\"\"")]
    [InlineData("[1640995200, 1609372800, 1230768000 | strftime(\"%G-W%V-%u\")]", "null", "[\"2021-W52-6\",\"2020-W53-4\",\"2009-W01-4\"]")]
    [InlineData("[0, 951782400, 4102444800] | map(todate)", "null", "[\"1970-01-01T00:00:00Z\",\"2000-02-29T00:00:00Z\",\"2100-01-01T00:00:00Z\"]")]
    public void Dates_are_those_of_the_C_library(string filter, string input, string expected) => Assert.Equal(expected, Run.Text(filter, input));

    [Theory]
    [InlineData("[pow(2, 3; 1, 2)]", "[2,3,4,9]")]
    [InlineData("[frexp, modf, logb, significand] == [[0.75, 1], [0.5, 1], 0, 1.5]", "true", "1.5")]
    [InlineData("[(5 | gamma, lgamma, tgamma) | . * 1e6 | round]", "[3178054,3178054,24000000]")]
    [InlineData("[ldexp(1; 3), scalb(1; 3), nearbyint, trunc, cbrt]", "[8,8,2,2,1.3572088082974532]", "2.5")]
    [InlineData("[atan2(1; 1), hypot(3; 4), fmin(1; nan), fma(2; 3; 4), drem(5; 3), copysign(1; -2)] | map(. * 1000 | round)", "[785,5000,1000,10000,-1000,-1000]")]
    [InlineData("[exp10, exp2, log2, log10] | map(. * 1000 | round)", "[100000,4000,1000,301]", "2")]
    [InlineData("[-0.5, 1.5, 2.5, -2.5 | round]", "[-1,2,3,-3]")]
    public void Mathematics_is_that_of_the_C_library(string filter, string expected, string input = "null") => Assert.Equal(expected, Run.Text(filter, input));

    [Theory]
    [InlineData("[{a: (1, 2), b: (3, 4)}] | map([.a, .b]) | tojson", "\"[[1,3],[1,4],[2,3],[2,4]]\"")]
    [InlineData("[(1, 2) + (10, 20)]", "[11,12,21,22]")]
    [InlineData("[\"\\(1, 2)-\\(3, 4)\"]", "[\"1-3\",\"2-3\",\"1-4\",\"2-4\"]")]
    [InlineData("[range(0, 1; 3, 4)]", "[0,1,2,0,1,2,3,1,2,1,2,3]")]
    [InlineData("[.[1, 2] = (3, 4)]", "[[null,3,3],[null,4,4]]")]
    public void Operands_with_several_outputs_make_nested_loops(string filter, string expected) => Assert.Equal(expected, Run.Text(filter));

    [Theory]
    [InlineData(".a = .b // 1", "{}", "{\"a\":null}")]
    [InlineData(".a[1:3] |= map(. * 2) | del(.a[0])", "{\"a\":[1,2,3,4]}", "{\"a\":[4,6,4]}")]
    [InlineData("(.[] | select(. > 1)) |= empty", "[1,2,3,1]", "[1,1]")]
    [InlineData(".a |= empty", "{\"a\":1,\"b\":2}", "{\"b\":2}")]
    [InlineData(".a[\"b\"].c += 1", "null", "{\"a\":{\"b\":{\"c\":1}}}")]
    [InlineData(".[.k] |= . + 1", "{\"k\":\"n\",\"n\":1}", "{\"k\":\"n\",\"n\":2}")]
    [InlineData("try (.a.b |= error(\"no\")) catch .", "{\"a\":1}", "\"Cannot index number with string (\\\"b\\\")\"")]
    [InlineData("try (.a |= error(\"no\")) catch .", "{\"a\":1}", "\"no\"")]
    [InlineData("[paths], [paths(type == \"number\")], [leaf_paths]", "{\"a\":[1]}", "[[\"a\"],[\"a\",0]]\n[[\"a\",0]]\n[[\"a\",0]]")]
    [InlineData("[path(limit(1; .a, .b)), path(first(.a, .b)), path(last(.a, .b)), path(getpath([\"x\", 0])), path(.. | select(. == 1)?)]", "{\"a\":1}", "[[\"a\"],[\"a\"],[\"b\"],[\"x\",0],[\"a\"]]")]
    [InlineData("path(.a | if . then .b else .c end), path(.a // .b), path(.x as $n | .y), path(label $l | .p, break $l)", "{\"a\":{}}", "[\"a\",\"b\"]\n[\"a\"]\n[\"y\"]\n[\"p\"]")]
    [InlineData("[.[] as [$a, {b: $c}] ?// $a | [$a, $c]]", "[[1,{\"b\":2}],3]", "[[1,2],[3,null]]")]
    [InlineData("to_entries", "[5]", "[{\"key\":0,\"value\":5}]")]
    [InlineData("[tostream] | fromstream(.[])", "{\"a\":[1,{\"b\":2}]}", "{\"a\":[1,{\"b\":2}]}")]
    [InlineData("[limit(5; repeat(1))], [while(. < 3; . + 1)], [recurse(if . < 2 then . + 1 else empty end)]", "0", "[1,1,1,1,1]\n[0,1,2]\n[0,1,2]")]
    [InlineData("reduce .[] as [$i, $j] (0; . + $i * $j), [foreach .[] as {a: $x} (0; . + $x; [$x, .])]", "[]", "0\n[]")]
    [InlineData("@base32, (@base32 | @base32d), @uri, (@uri | @urid)", "\"é&\"", "\"YOUSM===\"\n\"é&\"\n\"%C3%A9%26\"\n\"é&\"")]
    [InlineData("try @base64d catch .", "\"a\"", "\"string (\\\"a\\\") trailing base64 byte found\"")]
    [InlineData("try error(null) catch ., (try error catch .)", "null", "null\nnull")]
    [InlineData("[.[] | try tonumber catch \"no\"]", "[\"1\", \" 1\", \"0x1\", \"1e2\", \"\", \"-\", \"nan\"]", "[1,\"no\",\"no\",1E+2,\"no\",\"no\",null]")]
    [InlineData("try add catch .", "null", "\"Cannot iterate over null (null)\"")]
    [InlineData("\"\\(1 + 2) \\(\"a\\(\"b\")\")\"", "null", "\"3 ab\"")]
    [InlineData("{if: 1, $__loc__, \"a b\": 2, @base64 \"x\": 3, \"\\(1)\": 4}", "null", "{\"if\":1,\"__loc__\":{\"file\":\"<top-level>\",\"line\":1},\"a b\":2,\"x\":3,\"1\":4}")]
    [InlineData("# comment\n1 # another \\\n still a comment\n+ 1", "null", "2")]
    [InlineData(".a?//1, (.b? // 2)", "3", "1\n2")]
    public void Filters_do_what_jq_does(string filter, string input, string expected) => Assert.Equal(expected, Run.Text(filter, input));

    [Theory]
    [InlineData("nan", "NaN")]
    [InlineData("[1,nan]", "[1,NaN]")]
    public void Text_with_nan_is_read_by_fromjson(string text, string other)
    {
        Assert.Equal("[true,true]", Run.Text("[.[] | fromjson | [..] | any(isnan)]", $"[\"{text}\",\"{other}\"]"));
    }

    [Theory]
    [InlineData("[1,2", "Unfinished JSON term at EOF at line 1, column 4 (while parsing '[1,2')")]
    [InlineData("", "Expected JSON value (while parsing '')")]
    [InlineData("1 2", "Unexpected extra JSON values (while parsing '1 2')")]
    [InlineData("[1,]", "Expected another array element at line 1, column 4 (while parsing '[1,]')")]
    [InlineData("tru", "Invalid literal at EOF at line 1, column 3 (while parsing 'tru')")]
    [InlineData("{1:2}", "Object keys must be strings at line 1, column 3 (while parsing '{1:2}')")]
    public void Text_that_is_no_json_is_refused_by_fromjson_in_jqs_words(string text, string message) =>
        Assert.Equal(message, Run.First("try fromjson catch .", System.Text.Json.JsonSerializer.Serialize(text)).AsString());
}

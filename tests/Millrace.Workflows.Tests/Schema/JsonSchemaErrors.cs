using Millrace.Jq;
using Millrace.Workflows.Schema;

namespace Millrace.Workflows.Tests.Schema;

public sealed class JsonSchemaErrors
{
    [Theory]
    [InlineData("""{"type":"integer"}""", "\"a\"", "expected integer, found string")]
    [InlineData("""{"type":"integer"}""", "1.5", "expected integer, found a number with a fraction")]
    [InlineData("""{"type":["string","null"]}""", "1", "expected null or string, found integer")]
    [InlineData("""{"type":"number"}""", "true", "expected number, found boolean")]
    [InlineData("""{"enum":["a","b"]}""", "\"c\"", "must be one of \"a\", \"b\"")]
    [InlineData("""{"const":{"a":1}}""", "1", "must be {\"a\":1}")]
    [InlineData("""{"required":["id"]}""", "{}", "missing required property 'id'")]
    [InlineData("""{"dependentRequired":{"card":["name"]}}""", """{"card":1}""", "missing property 'name', which is required when 'card' is present")]
    [InlineData("""{"minimum":3}""", "2", "must be at least 3, found 2")]
    [InlineData("""{"exclusiveMinimum":3}""", "3", "must be greater than 3, found 3")]
    [InlineData("""{"maximum":3}""", "3.5", "must be at most 3, found 3.5")]
    [InlineData("""{"exclusiveMaximum":3}""", "3", "must be less than 3, found 3")]
    [InlineData("""{"multipleOf":0.1}""", "0.35", "must be a multiple of 0.1, found 0.35")]
    [InlineData("""{"minLength":2}""", "\"😀\"", "must have at least 2 characters, found 1")]
    [InlineData("""{"maxItems":1}""", "[1,2]", "must have at most 1 item, found 2")]
    [InlineData("""{"minProperties":1}""", "{}", "must have at least 1 property, found 0")]
    [InlineData("""{"pattern":"^a$"}""", "\"secret\"", "must match the pattern ^a$")]
    [InlineData("""{"uniqueItems":true}""", "[1,2,1.0]", "items must differ, but items 0 and 2 are equal")]
    [InlineData("""{"contains":{"type":"string"}}""", "[1]", "at least one item must match, found none")]
    [InlineData("""{"contains":{"type":"string"},"minContains":2}""", "[\"a\"]", "at least 2 items must match, found 1")]
    [InlineData("""{"contains":{"type":"string"},"maxContains":1}""", "[\"a\",\"b\"]", "at most 1 item may match, found 2 or more")]
    [InlineData("""{"not":{"type":"string"}}""", "\"a\"", "must not match the schema under 'not'")]
    [InlineData("""{"propertyNames":{"maxLength":1}}""", """{"ab":1}""", "the name of property 'ab' is not allowed: must have at most 1 character, found 2")]
    [InlineData("""{"oneOf":[{"minimum":1},{"minimum":2}]}""", "3", "must match exactly one of 2 alternatives, but matches alternatives 1 and 2")]
    [InlineData("""{"anyOf":[{"type":"string"},{"$ref":"#/$defs/n"}],"$defs":{"n":{"type":"integer"}}}""", "[]", "expected integer or string, found array")]
    [InlineData("false", "1", "nothing is allowed here")]
    public void Say_what_is_wrong(string schema, string instance, string message)
    {
        var errors = Validate(schema, instance);

        Assert.Equal(message, Assert.Single(errors).Message);
    }

    [Theory]
    [InlineData("date-time", "tomorrow", "must be a date and time with an offset such as 2030-01-31T12:00:00Z")]
    [InlineData("uri", "abc", "must be an absolute URI such as https://example.com/a")]
    [InlineData("email", "a", "must be an e-mail address")]
    public void Say_what_a_format_looks_like(string format, string text, string message)
    {
        var schema = JsonSchema.Compile(Json.Object("format", format), new() { AssertFormats = true });

        Assert.Equal(message, Assert.Single(schema.Validate(text)).Message);
    }

    [Fact]
    public void Point_into_the_instance_and_into_the_schema_through_references()
    {
        var errors = Validate(
            """{"properties":{"a/b":{"items":{"$ref":"#/$defs/n"}}},"$defs":{"n":{"type":"integer"}}}""",
            """{"a/b":[1,"x"]}""");

        Assert.Equal(new SchemaError("/a~1b/1", "/properties/a~1b/items/$ref/type", "type", "expected integer, found string"), Assert.Single(errors));
    }

    [Theory]
    [InlineData("""{"properties":{"a":true},"additionalProperties":false}""", "/additionalProperties", "additionalProperties")]
    [InlineData("""{"properties":{"a":true},"unevaluatedProperties":false}""", "/unevaluatedProperties", "unevaluatedProperties")]
    [InlineData("""{"properties":{"b":false}}""", "/properties/b", "properties")]
    [InlineData("""{"patternProperties":{"b":false}}""", "/patternProperties/b", "patternProperties")]
    public void Point_at_the_property_that_may_not_be_there(string schema, string place, string keyword)
    {
        Assert.Equal(new SchemaError("/b", place, keyword, "unexpected property 'b'"), Assert.Single(Validate(schema, """{"a":1,"b":2}""")));
    }

    [Fact]
    public void Point_at_the_item_that_may_not_be_there()
    {
        Assert.Equal(new SchemaError("/1", "/items", "items", "unexpected item"), Assert.Single(Validate("""{"prefixItems":[true],"items":false}""", "[1,2]")));
    }

    [Fact]
    public void Name_every_failure_of_an_object()
    {
        var errors = Validate(
            """{"required":["id","name"],"properties":{"age":{"type":"integer"},"mail":{"minLength":3}}}""",
            """{"age":"x","mail":"a"}""");

        Assert.Equal(["", "", "/age", "/mail"], errors.Select(e => e.Instance));
    }

    [Fact]
    public void Leave_out_unevaluated_members_once_something_else_failed()
    {
        var errors = Validate("""{"$ref":"#/$defs/a","unevaluatedProperties":false,"$defs":{"a":{"properties":{"n":{"type":"integer"}}}}}""", """{"n":"x"}""");

        Assert.Equal("type", Assert.Single(errors).Keyword);
    }

    [Fact]
    public void Of_alternatives_are_those_of_the_one_the_discriminator_chose()
    {
        var errors = Validate(
            """
            {"oneOf":[
              {"properties":{"kind":{"const":"mail"},"to":{"type":"string"}},"required":["kind","to"]},
              {"properties":{"kind":{"const":"call"},"number":{"type":"integer"},"retries":{"type":"integer"}},"required":["kind","number"]}]}
            """,
            """{"kind":"call","number":"x","retries":"y"}""");

        Assert.Equal("matches none of 2 alternatives; the closest is alternative 2", errors[0].Message);
        Assert.Equal(["/number", "/retries"], errors.Skip(1).Select(e => e.Instance));
    }

    [Fact]
    public void Of_alternatives_are_those_of_the_one_of_the_right_type()
    {
        var errors = Validate("""{"anyOf":[{"type":"string"},{"type":"object","required":["a","b"]}]}""", "{}");

        Assert.Equal("the closest is alternative 2", errors[0].Message.Split("; ")[1]);
        Assert.Equal("/anyOf/1/required", errors[1].Schema);
    }

    [Fact]
    public void Are_no_more_than_asked_for()
    {
        var schema = JsonSchema.Compile(JsonText.Parse("""{"items":{"type":"string"}}"""));
        var instance = JsonText.Parse("[1,2,3,4,5]");

        Assert.Equal(3, schema.Validate(instance, errorsMax: 3).Count);
        Assert.Single(schema.Validate(instance, errorsMax: 0));
    }

    [Fact]
    public void Never_repeat_a_string_of_the_instance()
    {
        const string Schema = """{"type":"integer","const":1,"enum":[1,2],"pattern":"^a$","maxLength":1,"format":"uuid","not":{"type":"string"}}""";
        var errors = JsonSchema.Compile(JsonText.Parse(Schema), new() { AssertFormats = true }).Validate("hunter2");

        Assert.Equal(7, errors.Count);
        Assert.DoesNotContain(errors, e => e.Message.Contains("hunter2", StringComparison.Ordinal));
    }

    private static IReadOnlyList<SchemaError> Validate(string schema, string instance) =>
        JsonSchema.Compile(JsonText.Parse(schema)).Validate(JsonText.Parse(instance));
}

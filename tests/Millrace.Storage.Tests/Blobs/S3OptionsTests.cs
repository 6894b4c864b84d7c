using Millrace.Storage.Blobs;

namespace Millrace.Storage.Tests.Blobs;

public sealed class S3OptionsTests
{
    [Fact]
    public void An_address_says_everything()
    {
        var options = S3Options.Parse("s3://bucket/some/prefix/?endpoint=http://127.0.0.1:9000&public=https://files.example&region=eu-west-3&pathStyle=false", "key", "secret");
        Assert.Equal(("bucket", "some/prefix/", "http://127.0.0.1:9000/", "eu-west-3", false), (options.Bucket, options.Prefix, options.Endpoint!.AbsoluteUri, options.Region, options.PathStyle));
        Assert.Equal(("https://files.example/", "key", "secret"), (options.Public!.AbsoluteUri, options.AccessKey, options.SecretKey));
    }

    [Fact]
    public void What_is_not_said_has_its_usual_value()
    {
        var own = S3Options.Parse("s3://bucket?endpoint=https://s3.example", "key", "secret");
        Assert.Equal(("", "us-east-1", true, null), (own.Prefix, own.Region, own.PathStyle, own.Public));
        var amazon = S3Options.Parse("s3://bucket?region=eu-central-1", "key", "secret");
        Assert.Equal((null, "eu-central-1", false), (amazon.Endpoint, amazon.Region, amazon.PathStyle));
    }

    [Theory]
    [InlineData("")]
    [InlineData("bucket")]
    [InlineData("https://bucket?region=a")]
    [InlineData("s3://bucket")]
    [InlineData("s3://key:secret@bucket?region=a")]
    [InlineData("s3://bucket?region=a&pathstyle=true")]
    [InlineData("s3://bucket?region=a&pathStyle=yes")]
    [InlineData("s3://bucket?endpoint=localhost:9000")]
    [InlineData("s3://bucket?endpoint=http://localhost:9000/path")]
    [InlineData("s3://bucket?endpoint=http://localhost:9000&public=files.example")]
    [InlineData("s3://bucket?region=a&public=https://files.example")]
    public void A_mistake_is_named(string url) => Assert.Contains("s3://", Assert.Throws<FormatException>(() => S3Options.Parse(url, "key", "secret")).Message, StringComparison.Ordinal);
}

using Millrace.Storage.Blobs;

namespace Millrace.Storage.Tests.Blobs;

public sealed class BlobRefTests
{
    [Theory]
    [InlineData("")]
    [InlineData("../../../../etc/passwd")]
    [InlineData("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD")]
    [InlineData("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n")]
    public void A_name_that_is_no_hash_cannot_be_made(string name) => Assert.Throws<ArgumentException>(() => new BlobRef(name, 1));
}
